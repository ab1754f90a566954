{{ config(materialized='ephemeral') }}
select code, count(*) as n_rows from {{ ref('m_view') }} group by code
