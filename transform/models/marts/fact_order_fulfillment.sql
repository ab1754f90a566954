{{ config(
    incremental_strategy='merge',
    unique_key='order_id',
    pre_hook=["{{ ensure_indexes(source('wms', 'order_dtl'), {'wms_order_ix': 'order_id'}, optional=true) }}"],
    post_hook=[
        {'sql': "{{ ensure_indexes(this, {'day_ix': 'order_day', 'hdr_ix': 'headers_batched_at', 'dtl_ix': 'lines_batched_at'}) }}", 'transaction': false},
        {'sql': "{{ oracle_analyze_table() }}", 'transaction': false},
    ],
) }}

with orders as (
    select * from {{ ref('stg_wms_orders') }}
),

touched_orders as (
    select order_id
    from {{ ref('base_wms_order_headers') }}
    where {{ changed_since_load('order_hdr', 'headers_batched_at') }}
    union
    select order_id
    from {{ ref('base_wms_order_lines') }}
    where {{ changed_since_load('order_dtl', 'lines_batched_at') }}
),

measured as (
    select
        orders.*,
        case
            when orders.is_deleted = 'Y' then 'the order is deleted'
            when orders.order_status = 'CANCELLED' then 'the order is cancelled'
            when orders.line_count = 0 then 'the order has no line'
            when orders.quantity_ordered <= 0 then 'nothing was ordered'
        end as fulfillment_rate_empty_reason
    from orders
    where orders.order_id in (select touched_orders.order_id from touched_orders)
)

select
    measured.order_id,
    measured.order_number,
    measured.order_day,
    cast(to_char(measured.order_day, 'YYYYMMDD') as number(8)) as date_key,
    measured.facility_code,
    measured.customer_id,
    measured.order_status,
    cast(measured.order_status_group as varchar2(12)) as order_status_group,
    cast(measured.order_size_category as varchar2(10)) as order_size_category,
    measured.total_amount,
    measured.currency_code,
    measured.amount_variance,
    measured.line_count,
    measured.unique_item_count,
    measured.quantity_ordered,
    measured.quantity_allocated,
    measured.quantity_shipped,
    case when measured.fulfillment_rate_empty_reason is null then {{ pct('measured.quantity_shipped', 'measured.quantity_ordered') }} end
        as fulfillment_rate_pct,
    cast(measured.fulfillment_rate_empty_reason as varchar2(60)) as fulfillment_rate_empty_reason,
    {{ seconds_between('measured.ordered_at', 'measured.shipped_at') }} as order_to_ship_seconds,
    cast(case
        when measured.requested_ship_date is null then 'No date'
        when measured.shipped_at is null then 'Not shipped'
        when cast(measured.shipped_at as date) < trunc(measured.requested_ship_date) + 1 then 'On time'
        else 'Late'
    end as varchar2(12)) as shipping_punctuality,
    measured.data_quality_score,
    measured.is_deleted,
    measured.headers_batched_at,
    measured.lines_batched_at,
    {{ utc_now() }} as fact_updated_at
from measured
