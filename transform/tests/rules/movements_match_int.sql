{{ config(tags=['reconciliation']) }}

with seen as (
    select coalesce(max(sdc_batched_at), timestamp '1900-01-01 00:00:00') as watermark
    from {{ ref('fact_inventory_movement') }}
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
        count(*) as row_count,
        sum(case when source_rows.is_counted = 1 then source_rows.quantity_allocated else 0 end) as quantity
    from {{ ref('int_allocation_performance') }} source_rows
    where source_rows.allocation_date not in (select pending.allocation_date from pending)
    group by source_rows.allocation_date
),

found as (
    select
        model_rows.movement_day as allocation_date,
        count(*) as row_count,
        sum(model_rows.quantity) as quantity
    from {{ ref('fact_inventory_movement') }} model_rows
    where model_rows.movement_day not in (select pending.allocation_date from pending)
    group by model_rows.movement_day
)

select
    coalesce(expected.allocation_date, found.allocation_date) as allocation_date,
    expected.row_count as expected_row_count,
    expected.quantity as expected_quantity,
    found.row_count as found_row_count,
    found.quantity as found_quantity
from expected
full outer join found on expected.allocation_date = found.allocation_date
where {{ rows_differ(['row_count', 'quantity'], 'expected', 'found') }}
