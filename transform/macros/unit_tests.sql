{#-
    dbt's own unit test statements cannot run on Oracle: an alias that begins with an underscore (ORA-00911), WITH inside WITH (ORA-32034), SELECT
    without FROM (before 23ai), LIMIT 0, and a text cast to a timestamp by the session's format. These say the same in Oracle's SQL.
-#}

{% macro oracle__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    select {{ expected_column_names | join(', ') }}, 'actual' as "actual_or_expected"
    from (
        {{ main_sql }}
    ) dbt_actual
    union all
    select {{ expected_column_names | join(', ') }}, 'expected' as "actual_or_expected"
    from (
        {{ expected_fixture_sql }}
    ) dbt_expected
{%- endmacro %}

{% macro oracle__safe_cast(field, type) -%}
    {%- set kind = type | upper -%}
    {%- set is_text = field is string and field.startswith("'") -%}
    {%- if is_text and kind.startswith('TIMESTAMP') -%}
        cast(to_timestamp({{ field }}, 'YYYY-MM-DD HH24:MI:SS.FF') as {{ type }})
    {%- elif is_text and kind == 'DATE' -%}
        to_date({{ field }}, 'YYYY-MM-DD{{ " HH24:MI:SS" if ":" in field }}')
    {%- elif kind in ('CLOB', 'NCLOB') -%}
        to_clob({{ field }})
    {%- else -%}
        cast({{ field }} as {{ type }})
    {%- endif -%}
{%- endmacro %}

{% macro get_fixture_sql(rows, column_name_to_data_types) -%}
    {%- if not column_name_to_data_types -%}
        {%- set there = defer_relation if (defer_relation and not load_relation(this)) else this -%}
        {%- set column_name_to_data_types = {} -%}
        {%- for column in adapter.get_columns_in_relation(there) -%}
            {%- do column_name_to_data_types.update({column.name | lower: column.data_type}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if not column_name_to_data_types -%}
        {{ exceptions.raise_compiler_error("unit test of '" ~ model.name ~ "': " ~ this ~ " does not exist; build what it stands for first") }}
    {%- endif -%}
    {{ rows_as_select(rows, column_name_to_data_types, column_name_to_data_types) }}
{%- endmacro %}

{% macro get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted) -%}
    {{ rows_as_select(rows, column_name_to_data_types, {}) }}
{%- endmacro %}

{% macro rows_as_select(rows, column_name_to_data_types, all_columns) -%}
    {#- The columns that rows give, row by row; around them, once, the others of all_columns as NULL. -#}
    {%- set given = [] -%}
    {%- set formatted = [] -%}
    {%- for row in rows -%}
        {%- set values = format_row(row, column_name_to_data_types) -%}
        {%- do formatted.append(values) -%}
        {%- for name in values if name not in given %}{% do given.append(name) %}{% endfor -%}
    {%- endfor -%}
    {%- if not rows %}
    select {% for name, type in column_name_to_data_types.items() %}cast(null as {{ type }}) as {{ adapter.quote(name | upper) }}{{ ', ' if not loop.last }}{% endfor %}
    from dual
    where 1 = 0
    {%- else %}
    select
        {% for name in given %}given_rows.{{ adapter.quote(name | upper) }}{{ ', ' if not loop.last }}{% endfor -%}
        {%- for name, type in all_columns.items() if name not in given %}, cast(null as {{ type }}) as {{ adapter.quote(name | upper) }}{% endfor %}
    from (
        {%- for values in formatted %}
        select {% for name in given %}{{ values[name] or safe_cast('null', column_name_to_data_types[name]) }} as {{ adapter.quote(name | upper) }}{{ ', ' if not loop.last }}{% endfor %}
        from dual{{ ' union all' if not loop.last }}
        {%- endfor %}
    ) given_rows
    {%- endif -%}
{%- endmacro %}
