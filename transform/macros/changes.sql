{#-
    What an incremental run has to look at.

    target-oracle stamps the rows of a load transaction with its start (_SDC_BATCHED_AT) and writes start and end into WMS_LOAD_AUDIT.
    Within a raw table starts ascend in the order of commits, because every transaction locks the table's control row first. The greatest
    start that a model holds is therefore its watermark for that table: whatever commits later is stamped later, however long it took.
    Each raw table that a model reads has its own watermark, since a load of one may begin before, and end after, a load of another.
-#}

{% macro timestamp_literal(value) -%}
    to_timestamp('{{ value }}', 'YYYY-MM-DD HH24:MI:SS.FF6')
{%- endmacro %}

{% macro watermark(column, relation=none) -%}
    {#- greatest value of the column in this model, as text; none before the first run -#}
    {%- if not execute or not is_incremental() -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set found = run_query(
        "select to_char(max(" ~ column ~ "), 'YYYY-MM-DD HH24:MI:SS.FF6') as watermark from " ~ (relation or this)) -%}
    {{ return(found.columns[0].values()[0]) }}
{%- endmacro %}

{% macro changed_since_model(column, model_column=none) -%}
    {#- condition on `column` of a model that this project builds: newer than this model's watermark in model_column (default: of the same name) -#}
    {%- set seen = watermark(model_column or column) -%}
    {%- if seen is none -%} 1 = 1 {%- else -%} {{ column }} > {{ timestamp_literal(seen) }} {%- endif -%}
{%- endmacro %}

{% macro changed_since_load(source_table, model_column, column='sdc_batched_at') -%}
    {#-
        Condition on `column` of a staging model of `source_table`: rows of load transactions that this model has not seen.
        Lower bound: the watermark; or, if the audit knows a transaction that began before the watermark and ended after it, its start.
        Such a transaction cannot be while the loader's lock holds; should another writer keep the audit without that lock, its rows are found all
        the same.
    -#}
    {%- if not execute or not is_incremental() -%}
        {{ return('1 = 1') }}
    {%- endif -%}
    {%- set seen = watermark(model_column) -%}
    {%- if seen is none -%}
        {{ return('1 = 1') }}
    {%- endif -%}
    {%- set raw = source('wms', source_table) -%}
    {%- set bound = run_query("
        select to_char(min(audit_row.batched_at), 'YYYY-MM-DD HH24:MI:SS.FF6') as batched_at
        from " ~ source('wms', 'load_audit') ~ " audit_row
        where audit_row.table_name = '" ~ raw.identifier ~ "'
            and audit_row.batched_at < " ~ timestamp_literal(seen) ~ "
            and audit_row.loaded_at >= " ~ timestamp_literal(seen)).columns[0].values()[0] -%}
    {%- if bound is none -%}
        {{ return(column ~ ' > ' ~ timestamp_literal(seen)) }}
    {%- endif -%}
    {{ return(column ~ ' >= ' ~ timestamp_literal(bound)) }}
{%- endmacro %}
