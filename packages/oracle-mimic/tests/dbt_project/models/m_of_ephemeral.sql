{{ config(materialized='table') }}
select e.code, e.n_rows from {{ ref('m_ephemeral') }} e
