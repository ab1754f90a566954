{{ config(tags=['reconciliation']) }}

with seen as (
    select coalesce(max(allocations_batched_at), timestamp '1900-01-01 00:00:00') as watermark
    from {{ ref('int_item_daily') }}
),

{# Days that int_allocation_performance has newer rows of are compared after the next run. #}
pending as (
    select distinct source_rows.allocation_date
    from {{ ref('int_allocation_performance') }} source_rows
    cross join seen
    where source_rows.sdc_batched_at > seen.watermark
),

expected as (
    select
        source_rows.allocation_date,
        sum(source_rows.is_counted) as allocation_count,
        sum(case when source_rows.is_counted = 1 then source_rows.quantity_allocated else 0 end) as quantity
    from {{ ref('int_allocation_performance') }} source_rows
    where source_rows.allocation_date not in (select pending.allocation_date from pending)
    group by source_rows.allocation_date
),

found as (
    select
        model_rows.activity_day as allocation_date,
        sum(model_rows.allocation_count) as allocation_count,
        sum(model_rows.allocated_quantity) as quantity
    from {{ ref('int_item_daily') }} model_rows
    where model_rows.activity_day not in (select pending.allocation_date from pending)
        and model_rows.allocations_batched_at is not null
    group by model_rows.activity_day
)

select
    coalesce(expected.allocation_date, found.allocation_date) as allocation_date,
    expected.allocation_count as expected_allocation_count,
    expected.quantity as expected_quantity,
    found.allocation_count as found_allocation_count,
    found.quantity as found_quantity
from expected
full outer join found on expected.allocation_date = found.allocation_date
where {{ rows_differ(['allocation_count', 'quantity'], 'expected', 'found') }}
