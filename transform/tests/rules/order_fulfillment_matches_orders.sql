{{ config(tags=['reconciliation']) }}

with seen as (
    select
        coalesce(max(headers_batched_at), timestamp '1900-01-01 00:00:00') as headers_watermark,
        coalesce(max(lines_batched_at), timestamp '1900-01-01 00:00:00') as lines_watermark
    from {{ ref('fact_order_fulfillment') }}
),

{# Orders that were loaded after the last run are compared after the next one. #}
expected as (
    select orders.*
    from {{ ref('stg_wms_orders') }} orders
    cross join seen
    where orders.headers_batched_at <= seen.headers_watermark
        and (orders.lines_batched_at is null or orders.lines_batched_at <= seen.lines_watermark)
)

select
    expected.order_id,
    expected.quantity_ordered as expected_ordered,
    found.quantity_ordered as found_ordered,
    expected.quantity_shipped as expected_shipped,
    found.quantity_shipped as found_shipped,
    expected.order_status as expected_status,
    found.order_status as found_status
from expected
left join {{ ref('fact_order_fulfillment') }} found on expected.order_id = found.order_id
where {{ rows_differ(['order_id', 'quantity_ordered', 'quantity_shipped', 'order_status', 'line_count', 'total_amount', 'is_deleted'], 'expected', 'found') }}
