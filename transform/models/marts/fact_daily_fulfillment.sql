{{ config(
    incremental_strategy='replace_partition',
    meta={'partition_column': 'order_day', 'version_columns': ['headers_batched_at', 'lines_batched_at']},
    post_hook=[{'sql': "{{ oracle_analyze_table() }}", 'transaction': false}],
) }}

with orders as (
    select * from {{ ref('fact_order_fulfillment') }}
),

touched_days as (
    select order_day
    from {{ ref('fact_order_fulfillment') }}
    where {{ changed_since_model('headers_batched_at') }}
    union
    select order_day
    from {{ ref('fact_order_fulfillment') }}
    where {{ changed_since_model('lines_batched_at') }}
),

daily as (
    select
        orders.order_day,
        sum(case when orders.is_deleted = 'N' then 1 else 0 end) as order_count,
        sum(case when orders.is_deleted = 'N' and orders.order_status = 'COMPLETED' then 1 else 0 end) as completed_order_count,
        sum(case when orders.is_deleted = 'N' and orders.order_status = 'CANCELLED' then 1 else 0 end) as cancelled_order_count,
        count(orders.fulfillment_rate_pct) as rated_order_count,
        coalesce(sum(case when orders.fulfillment_rate_pct is not null then orders.quantity_ordered end), 0) as quantity_ordered,
        coalesce(sum(case when orders.fulfillment_rate_pct is not null then orders.quantity_shipped end), 0) as quantity_shipped,
        sum(case when orders.is_deleted = 'N' and orders.shipping_punctuality = 'On time' then 1 else 0 end) as on_time_count,
        sum(case when orders.is_deleted = 'N' and orders.shipping_punctuality = 'Late' then 1 else 0 end) as late_count,
        max(orders.headers_batched_at) as headers_batched_at,
        max(orders.lines_batched_at) as lines_batched_at
    from orders
    where orders.order_day in (select touched_days.order_day from touched_days)
    group by orders.order_day
)

select
    daily.order_day,
    cast(to_char(daily.order_day, 'YYYYMMDD') as number(8)) as date_key,
    daily.order_count,
    daily.completed_order_count,
    daily.cancelled_order_count,
    daily.rated_order_count,
    daily.quantity_ordered,
    daily.quantity_shipped,
    {{ pct('daily.quantity_shipped', 'daily.quantity_ordered') }} as fulfillment_rate_pct,
    cast(case when daily.quantity_ordered <= 0 then 'no order of the day has a quantity that counts' end as varchar2(60)) as fulfillment_rate_empty_reason,
    daily.on_time_count,
    daily.late_count,
    {{ pct('daily.on_time_count', '(daily.on_time_count + daily.late_count)') }} as on_time_rate_pct,
    daily.headers_batched_at,
    daily.lines_batched_at,
    {{ utc_now() }} as fact_updated_at
from daily
