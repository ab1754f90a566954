{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id', on_schema_change='append_new_columns') }}
select id, code, rate + {{ 1 if is_incremental() else 0 }} as rate, valid_from
  {% if var('extra_column') %} , upper(note) as shouted {% endif %}
from {{ ref('m_view') }}
{% if is_incremental() %} where valid_from > (select coalesce(min(valid_from), timestamp '1900-01-01 00:00:00') from {{ this }}) {% endif %}
