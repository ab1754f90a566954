{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='valid_from', batch_size='month', begin='2026-10-01', lookback=1) }}
select id, code, rate, valid_from from {{ ref('m_view') }}
