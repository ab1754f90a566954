{{ config(tags=['reconciliation']) }}

with seen as (
    select coalesce(max(sdc_batched_at), timestamp '1900-01-01 00:00:00') as watermark
    from {{ ref('int_allocation_performance') }}
),

{# Days with rows that were loaded after the last run are compared after the next one. #}
pending as (
    select distinct stg.allocation_date
    from {{ ref('stg_wms_allocation') }} stg
    cross join seen
    where stg.sdc_batched_at > seen.watermark
),

expected as (
    select
        stg.allocation_date,
        count(*) as row_count,
        sum(stg.quantity_allocated) as quantity,
        sum(case when stg.is_deleted = 'Y' then 1 else 0 end) as deleted_count
    from {{ ref('stg_wms_allocation') }} stg
    where stg.allocation_date not in (select pending.allocation_date from pending)
    group by stg.allocation_date
),

found as (
    select
        int_rows.allocation_date,
        count(*) as row_count,
        sum(int_rows.quantity_allocated) as quantity,
        sum(case when int_rows.is_deleted = 'Y' then 1 else 0 end) as deleted_count
    from {{ ref('int_allocation_performance') }} int_rows
    where int_rows.allocation_date not in (select pending.allocation_date from pending)
    group by int_rows.allocation_date
)

select
    coalesce(expected.allocation_date, found.allocation_date) as allocation_date,
    expected.row_count as expected_rows,
    found.row_count as found_rows,
    expected.quantity as expected_quantity,
    found.quantity as found_quantity
from expected
full outer join found on expected.allocation_date = found.allocation_date
where {{ rows_differ(['row_count', 'quantity', 'deleted_count'], 'expected', 'found') }}
