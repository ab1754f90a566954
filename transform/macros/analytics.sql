{#- Macros for models and analysts. -#}

{% macro column_name(name) -%}
    {#- a plain name that Oracle reserves is quoted, in upper case as Oracle keeps it; anything else is taken as it is -#}
    {{ '"' ~ name | upper ~ '"' if name | upper in ['ACCESS', 'COMMENT', 'DATE', 'FILE', 'LEVEL', 'MODE', 'NUMBER', 'ORDER', 'ROW', 'SESSION', 'SIZE', 'START', 'UID', 'USER'] else name }}
{%- endmacro %}

{% macro oracle_running_totals(column, partition_by=[], order_by=none, alias=none) -%}
    {#-
        Sum, average and count of `column` over the rows up to this one: three columns, `<alias>_running_total`, `_running_avg`, `_running_count`.

        partition_by: columns within which it starts anew; order_by: column or list. Rows that tie in order_by follow in no fixed order, so
        end the list with a key where a figure per row has to be the same in every run.
    -#}
    {%- set name = alias or column.split('.')[-1] -%}
    {%- set order = [order_by] if order_by is string else order_by -%}
    {%- set column = column_name(column) -%}
    {%- set window -%}
        over (
            {%- if partition_by %}partition by {% for each in partition_by %}{{ column_name(each) }}{{ ', ' if not loop.last }}{% endfor %} {% endif -%}
            order by {% for each in order %}{{ column_name(each) }}{{ ', ' if not loop.last }}{% endfor %} rows between unbounded preceding and current row)
    {%- endset -%}
    sum({{ column }}) {{ window }} as {{ name }}_running_total,
    round(avg({{ column }}) {{ window }}, 4) as {{ name }}_running_avg,
    count({{ column }}) {{ window }} as {{ name }}_running_count
{%- endmacro %}

{% macro oracle_percentile_analysis(column, partition_by=none, percentiles=[25, 50, 75, 90], alias=none) -%}
    {#-
        Percentiles of `column`, interpolated, NULLs left out: a column `<alias>_p<n>` each.

        partition_by: none - an aggregate, for a query with GROUP BY or none; [] - of all rows, beside each row; a list - within these columns.
    -#}
    {%- set name = alias or column.split('.')[-1] -%}
    {%- for each in percentiles %}
    round(percentile_cont({{ each / 100 }}) within group (order by {{ column_name(column) }})
        {%- if partition_by is not none %} over ({{ 'partition by ' ~ partition_by | join(', ') if partition_by }}){% endif -%}
        , 4) as {{ name }}_p{{ each }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro oracle_analyze_table(relation=none, estimate_percent='dbms_stats.auto_sample_size', cascade=true) -%}
    {#-
        A block that gathers the optimizer's statistics of a table (by default the model's own) when they are missing or stale: when at least
        stale_statistics_percent of its rows were changed since. Else it does nothing. As a post_hook:

            post_hook: "{{ '{{ oracle_analyze_table() }}' }}"

        DBMS_STATS commits, so it comes after the model's own COMMIT. USER_TAB_MODIFICATIONS may lag behind by some minutes; that does no harm.
    -#}
    {%- set table = relation or this -%}
    {%- set owner, name = table.schema | upper, table.identifier | upper -%}
    declare
        counted_rows number;
        changed_rows number;
    begin
        select max(num_rows) into counted_rows from all_tables where owner = '{{ owner }}' and table_name = '{{ name }}';
        select sum(inserts + updates + deletes) into changed_rows
        from all_tab_modifications where table_owner = '{{ owner }}' and table_name = '{{ name }}';
        if counted_rows is null or changed_rows * 100 >= counted_rows * {{ var('stale_statistics_percent') }} then
            dbms_stats.gather_table_stats(
                ownname => '{{ owner }}', tabname => '{{ name }}', estimate_percent => {{ estimate_percent }},
                cascade => {{ 'true' if cascade else 'false' }});
        end if;
    end;
{%- endmacro %}
