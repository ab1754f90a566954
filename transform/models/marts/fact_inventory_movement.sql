{{ config(
    incremental_strategy='replace_partition',
    meta={'partition_column': 'movement_day', 'version_columns': ['sdc_batched_at']},
    post_hook=[
        {'sql': "{{ ensure_indexes(this, {'day_ix': 'movement_day', 'batched_ix': 'sdc_batched_at', 'item_ix': 'item_id'}) }}", 'transaction': false},
        {'sql': "{{ oracle_analyze_table() }}", 'transaction': false},
    ],
) }}

with allocations as (
    select * from {{ ref('int_allocation_performance') }}
),

touched_days as (
    select distinct allocation_date
    from {{ ref('int_allocation_performance') }}
    where {{ changed_since_model('sdc_batched_at') }}
),

movements as (
    select
        allocations.allocation_id,
        allocations.allocation_date as movement_day,
        allocations.created_at as moved_at,
        allocations.item_id,
        allocations.location_id,
        allocations.order_id,
        allocations.allocated_by_user,
        case
            when allocations.is_deleted = 'Y' then 'Deleted'
            when allocations.allocation_status = 'CANCELLED' then 'Cancelled'
            when allocations.allocation_status = 'SHIPPED' then 'Completed'
            when allocations.allocation_status = 'PICKED' then 'In progress'
            else 'Planned'
        end as movement_status,
        case when allocations.is_counted = 1 then allocations.quantity_allocated else 0 end as quantity,
        allocations.sdc_batched_at
    from allocations
    where allocations.allocation_date in (select touched_days.allocation_date from touched_days)
)

select
    cast('ALC-' || to_char(movements.allocation_id) as varchar2(30)) as movement_id,
    movements.allocation_id,
    movements.movement_day,
    movements.moved_at,
    cast(to_char(movements.movement_day, 'YYYYMMDD') as number(8)) as date_key,
    cast({{ surrogate_key(['to_char(movements.item_id)']) }} as varchar2(32)) as item_key,
    movements.item_id,
    movements.location_id,
    movements.order_id,
    movements.allocated_by_user,
    cast('OUTBOUND' as varchar2(10)) as direction,
    cast(movements.movement_status as varchar2(12)) as movement_status,
    movements.quantity,
    lag(movements.quantity) over (
        partition by movements.movement_day, movements.item_id order by movements.moved_at, movements.allocation_id) as previous_quantity,
    {{ oracle_running_totals('movements.quantity', ['movements.movement_day', 'movements.item_id'], ['movements.moved_at', 'movements.allocation_id']) }},
    {{ oracle_percentile_analysis('movements.quantity', partition_by=['movements.movement_day', 'movements.item_id'], percentiles=[50, 90]) }},
    cast(null as number(19, 4)) as stock_balance,
    cast('inbound receipts and adjustments are not loaded' as varchar2(60)) as stock_balance_empty_reason,
    movements.sdc_batched_at,
    {{ utc_now() }} as fact_updated_at
from movements
