{{ config(tags=['reconciliation']) }}

with seen as (
    select coalesce(max(sdc_batched_at), timestamp '1900-01-01 00:00:00') as watermark
    from {{ ref('int_user_activity') }}
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
        sum(source_rows.is_counted) as line_count,
        sum(case when source_rows.is_counted = 1 then source_rows.quantity_allocated else 0 end) as quantity
    from {{ ref('int_allocation_performance') }} source_rows
    where source_rows.allocation_date not in (select pending.allocation_date from pending)
    group by source_rows.allocation_date
),

found as (
    select
        model_rows.allocation_date,
        sum(model_rows.line_count) as line_count,
        sum(model_rows.quantity) as quantity
    from {{ ref('int_user_activity') }} model_rows
    where model_rows.allocation_date not in (select pending.allocation_date from pending)
        and model_rows.activity = 'ALLOCATION'
    group by model_rows.allocation_date
)

select
    coalesce(expected.allocation_date, found.allocation_date) as allocation_date,
    expected.line_count as expected_line_count,
    expected.quantity as expected_quantity,
    found.line_count as found_line_count,
    found.quantity as found_quantity
from expected
full outer join found on expected.allocation_date = found.allocation_date
where {{ rows_differ(['line_count', 'quantity'], 'expected', 'found') }}
