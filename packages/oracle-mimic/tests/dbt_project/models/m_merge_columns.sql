{{ config(materialized='incremental', unique_key=['id', 'code'], merge_exclude_columns=['valid_from'], on_schema_change='sync_all_columns') }}
select id, code, {% if var('extra_column') %} rate, {% endif %} valid_from, cast(rpad('x', 40, 'x') as varchar2({{ 40 if is_incremental() else 4 }})) as widened
from {{ ref('m_view') }}
