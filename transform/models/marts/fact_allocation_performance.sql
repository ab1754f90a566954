{{ config(
    incremental_strategy='replace_partition',
    meta={'partition_column': 'allocation_date', 'version_columns': ['sdc_batched_at']},
    post_hook=[
        {'sql': "{{ ensure_indexes(this, {'day_ix': 'allocation_date', 'batched_ix': 'sdc_batched_at'}) }}", 'transaction': false},
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

counted as (
    select
        allocations.*,
        case when allocations.is_counted = 1 then allocations.processing_time_seconds end as counted_processing_seconds,
        case when allocations.is_counted = 1 then allocations.fulfillment_time_seconds end as counted_fulfillment_seconds
    from allocations
    where allocations.allocation_date in (select touched_days.allocation_date from touched_days)
),

grouped as (
    select
        counted.allocation_date,
        counted.location_id,
        counted.item_id,
        counted.allocated_by_user,
        count(*) as row_count,
        sum(counted.is_counted) as allocation_count,
        sum(case when counted.allocation_status = 'CANCELLED' and counted.is_deleted = 'N' then 1 else 0 end) as cancelled_count,
        sum(case when counted.is_deleted = 'Y' then 1 else 0 end) as deleted_count,
        sum(counted.is_shipped) as shipped_count,
        count(distinct case when counted.is_counted = 1 then counted.order_id end) as order_count,
        sum(case when counted.is_counted = 1 then counted.quantity_allocated else 0 end) as quantity_allocated,
        sum(case when counted.is_counted = 1 then coalesce(counted.quantity_picked, 0) else 0 end) as quantity_picked,
        sum(case when counted.is_shipped = 1 then counted.quantity_allocated else 0 end) as quantity_shipped,
        round(avg(counted.counted_processing_seconds), 4) as avg_processing_seconds,
        {{ oracle_percentile_analysis('counted.counted_processing_seconds', percentiles=[50, 90], alias='processing_seconds') }},
        round(avg(counted.counted_fulfillment_seconds), 4) as avg_fulfillment_seconds,
        sum(case when counted.counted_processing_seconds <= 3600 then 1 else 0 end) as within_1hour_count,
        count(counted.counted_processing_seconds) as processed_count,
        sum(case when counted.is_counted = 1 and counted.data_quality_score = 'Excellent' then 1 else 0 end) as excellent_count,
        max(counted.sdc_batched_at) as sdc_batched_at
    from counted
    group by counted.allocation_date, counted.location_id, counted.item_id, counted.allocated_by_user
),

rated as (
    select
        grouped.*,
        {{ pct('grouped.shipped_count', 'grouped.allocation_count') }} as fulfillment_rate_pct,
        {{ pct('grouped.within_1hour_count', 'grouped.processed_count') }} as within_1hour_rate_pct,
        {{ pct('grouped.excellent_count', 'grouped.allocation_count') }} as excellent_quality_rate_pct
    from grouped
)

select
    cast({{ surrogate_key(["to_char(rated.allocation_date, 'YYYYMMDD')", 'to_char(rated.location_id)', 'to_char(rated.item_id)', 'rated.allocated_by_user']) }}
        as varchar2(32)) as fact_key,
    cast(to_char(rated.allocation_date, 'YYYYMMDD') as number(8)) as date_key,
    rated.allocation_date,
    cast({{ surrogate_key(['to_char(rated.item_id)']) }} as varchar2(32)) as item_key,
    rated.item_id,
    rated.location_id,
    rated.allocated_by_user,
    rated.row_count,
    rated.allocation_count,
    rated.cancelled_count,
    rated.deleted_count,
    rated.shipped_count,
    rated.order_count,
    rated.quantity_allocated,
    rated.quantity_picked,
    rated.quantity_shipped,
    rated.avg_processing_seconds,
    rated.processing_seconds_p50,
    rated.processing_seconds_p90,
    rated.avg_fulfillment_seconds,
    rated.processed_count,
    rated.within_1hour_count,
    rated.excellent_count,
    rated.fulfillment_rate_pct,
    rated.within_1hour_rate_pct,
    rated.excellent_quality_rate_pct,
    cast(case
        when rated.fulfillment_rate_pct is null then 'No data'
        when rated.fulfillment_rate_pct >= 95 then 'Excellent'
        when rated.fulfillment_rate_pct >= 80 then 'Good'
        when rated.fulfillment_rate_pct >= 50 then 'Fair'
        else 'Poor'
    end as varchar2(10)) as fulfillment_performance_category,
    round(0.4 * rated.fulfillment_rate_pct + 0.3 * rated.within_1hour_rate_pct + 0.3 * rated.excellent_quality_rate_pct, 2) as overall_efficiency_score,
    cast(case
        when rated.allocation_count = 0 then 'every allocation of the group is cancelled or deleted'
        when rated.processed_count = 0 then 'no allocation of the group is picked yet: processing times and score are empty'
        when rated.shipped_count = 0 then 'no allocation of the group is shipped yet: fulfilment times are empty'
    end as varchar2(100)) as empty_reason,
    rated.sdc_batched_at,
    {{ utc_now() }} as fact_updated_at
from rated
