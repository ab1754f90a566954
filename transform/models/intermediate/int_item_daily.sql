{{ config(
    incremental_strategy='replace_partition',
    meta={'partition_column': 'activity_day', 'version_columns': ['allocations_batched_at', 'headers_batched_at', 'lines_batched_at']},
    pre_hook=[
        "{{ ensure_indexes(source('wms', 'order_hdr'), {'wms_day_ix': 'trunc(order_date)'}, optional=true) }}",
        "{{ ensure_indexes(source('wms', 'order_dtl'), {'wms_order_ix': 'order_id'}, optional=true) }}",
    ],
    post_hook=[
        {'sql': "{{ ensure_indexes(this, {'day_ix': 'activity_day', 'item_ix': 'item_id', 'alloc_ix': 'allocations_batched_at',
            'hdr_ix': 'headers_batched_at', 'dtl_ix': 'lines_batched_at'}) }}", 'transaction': false},
        {'sql': "{{ oracle_analyze_table() }}", 'transaction': false},
    ],
) }}

with allocations as (
    select * from {{ ref('int_allocation_performance') }}
),

headers as (
    select * from {{ ref('base_wms_order_headers') }}
),

lines as (
    select * from {{ ref('base_wms_order_lines') }}
),

touched_days as (
    select allocation_date as activity_day
    from {{ ref('int_allocation_performance') }}
    where {{ changed_since_model('sdc_batched_at', 'allocations_batched_at') }}
    union
    select order_day
    from {{ ref('base_wms_order_headers') }}
    where {{ changed_since_load('order_hdr', 'headers_batched_at') }}
    union
    select headers.order_day
    from headers
    inner join lines on headers.order_id = lines.order_id
    where {{ changed_since_load('order_dtl', 'lines_batched_at', 'lines.sdc_batched_at') }}
),

allocation_part as (
    select
        allocations.allocation_date as activity_day,
        allocations.item_id,
        allocations.is_counted as allocation_count,
        allocations.is_shipped as shipped_count,
        case when allocations.is_counted = 1 then allocations.quantity_allocated else 0 end as allocated_quantity,
        case when allocations.is_shipped = 1 then allocations.quantity_allocated else 0 end as shipped_quantity,
        cast(null as number(19)) as order_id,
        0 as ordered_quantity,
        allocations.sdc_batched_at as allocations_batched_at,
        cast(null as timestamp(6)) as headers_batched_at,
        cast(null as timestamp(6)) as lines_batched_at
    from allocations
    where allocations.allocation_date in (select touched_days.activity_day from touched_days)
),

order_part as (
    select
        headers.order_day as activity_day,
        lines.item_id,
        0 as allocation_count,
        0 as shipped_count,
        0 as allocated_quantity,
        0 as shipped_quantity,
        case when headers.is_deleted = 'N' and lines.is_deleted = 'N' and headers.order_status <> 'CANCELLED' then headers.order_id end as order_id,
        case when headers.is_deleted = 'N' and lines.is_deleted = 'N' and headers.order_status <> 'CANCELLED' then lines.quantity_ordered else 0 end
            as ordered_quantity,
        cast(null as timestamp(6)) as allocations_batched_at,
        headers.sdc_batched_at as headers_batched_at,
        lines.sdc_batched_at as lines_batched_at
    from headers
    inner join lines on headers.order_id = lines.order_id
    where headers.order_day in (select touched_days.activity_day from touched_days)
),

parts as (
    select * from allocation_part
    union all
    select * from order_part
)

select
    parts.activity_day,
    parts.item_id,
    sum(parts.allocation_count) as allocation_count,
    sum(parts.shipped_count) as shipped_count,
    sum(parts.allocated_quantity) as allocated_quantity,
    sum(parts.shipped_quantity) as shipped_quantity,
    count(distinct parts.order_id) as order_count,
    sum(parts.ordered_quantity) as ordered_quantity,
    max(parts.allocations_batched_at) as allocations_batched_at,
    max(parts.headers_batched_at) as headers_batched_at,
    max(parts.lines_batched_at) as lines_batched_at
from parts
group by parts.activity_day, parts.item_id
