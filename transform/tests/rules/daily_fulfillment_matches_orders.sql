{{ config(tags=['reconciliation']) }}

with expected as (
    select
        orders.order_day,
        sum(case when orders.is_deleted = 'N' then 1 else 0 end) as order_count,
        coalesce(sum(case when orders.fulfillment_rate_pct is not null then orders.quantity_ordered end), 0) as quantity_ordered,
        coalesce(sum(case when orders.fulfillment_rate_pct is not null then orders.quantity_shipped end), 0) as quantity_shipped,
        max(orders.headers_batched_at) as headers_batched_at,
        max(orders.lines_batched_at) as lines_batched_at
    from {{ ref('fact_order_fulfillment') }} orders
    group by orders.order_day
),

seen as (
    select
        max(daily.headers_batched_at) as headers_watermark,
        max(daily.lines_batched_at) as lines_watermark
    from {{ ref('fact_daily_fulfillment') }} daily
)

select
    coalesce(expected.order_day, found.order_day) as order_day,
    expected.order_count as expected_orders,
    found.order_count as found_orders,
    expected.quantity_shipped as expected_shipped,
    found.quantity_shipped as found_shipped
from expected
full outer join {{ ref('fact_daily_fulfillment') }} found on expected.order_day = found.order_day
cross join seen
where (expected.headers_batched_at is null or expected.headers_batched_at <= seen.headers_watermark)
    and (expected.lines_batched_at is null or expected.lines_batched_at <= seen.lines_watermark)
    and {{ rows_differ(['order_count', 'quantity_ordered', 'quantity_shipped'], 'expected', 'found') }}
