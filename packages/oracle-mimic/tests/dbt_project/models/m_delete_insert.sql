{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['code', 'valid_from'], parallel=4) }}
select id, code, rate, valid_from from {{ ref('m_view') }}
