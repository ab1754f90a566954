{{ config(materialized='view') }}
select id, code, rate, valid_from, note from {{ ref('rates') }}
