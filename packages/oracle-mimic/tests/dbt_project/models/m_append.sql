{{ config(materialized='incremental', incremental_strategy='append') }}
select id, code, rate from {{ ref('m_view') }}
{% if is_incremental() %} where id > {{ var('from_id') }} {% endif %}
