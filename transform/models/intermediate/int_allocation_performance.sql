{{ config(
    incremental_strategy='replace_partition',
    meta={'partition_column': 'allocation_date', 'version_columns': ['sdc_batched_at']},
    pre_hook=["{{ ensure_indexes(source('wms', 'allocation'), {'wms_day_ix': 'trunc(created_date)'}, optional=true) }}"],
    post_hook=[
        {'sql': "{{ ensure_indexes(this, {'day_ix': 'allocation_date', 'batched_ix': 'sdc_batched_at', 'key_ix': 'allocation_id'}) }}", 'transaction': false},
        {'sql': "{{ oracle_analyze_table() }}", 'transaction': false},
    ],
) }}

with allocations as (
    select * from {{ ref('stg_wms_allocation') }}
),

{# A day is recomputed as a whole: every benchmark below is of rows of the same day. #}
touched_days as (
    select distinct allocation_date
    from {{ ref('stg_wms_allocation') }}
    where {{ changed_since_load('allocation', 'sdc_batched_at') }}
),

measured as (
    select
        allocations.*,
        case when allocations.is_deleted = 'N' and allocations.allocation_status <> 'CANCELLED' then 1 else 0 end as is_counted,
        case when allocations.is_deleted = 'N' and allocations.allocation_status = 'SHIPPED' then 1 else 0 end as is_shipped,
        {{ seconds_between('allocations.created_at', 'allocations.picked_at') }} as processing_time_seconds,
        {{ seconds_between('allocations.created_at', 'allocations.shipped_at') }} as fulfillment_time_seconds,
        extract(hour from allocations.created_at) as created_hour
    from allocations
    where allocations.allocation_date in (select touched_days.allocation_date from touched_days)
),

{# Deleted and cancelled rows are kept, so that their day is found again, but no benchmark sees them. #}
timed as (
    select
        measured.*,
        case when measured.is_counted = 1 then measured.processing_time_seconds end as counted_seconds
    from measured
),

benchmarked as (
    select
        timed.*,
        round(avg(timed.counted_seconds) over (partition by timed.allocation_date, timed.location_id), 4) as location_avg_processing_time,
        {{ oracle_percentile_analysis('timed.counted_seconds', partition_by=['timed.allocation_date', 'timed.location_id'],
            percentiles=[50], alias='location_processing_time') }},
        sum(timed.is_shipped) over (partition by timed.allocation_date, timed.location_id) as location_shipped_count,
        sum(timed.is_counted) over (partition by timed.allocation_date, timed.location_id) as location_counted_count,
        round(avg(timed.counted_seconds) over (partition by timed.allocation_date, timed.allocated_by_user), 4) as user_avg_processing_time,
        sum(timed.is_shipped) over (partition by timed.allocation_date, timed.allocated_by_user) as user_shipped_count,
        sum(timed.is_counted) over (partition by timed.allocation_date, timed.allocated_by_user) as user_allocations_per_day,
        round(avg(timed.counted_seconds) over (partition by timed.allocation_date), 4) as day_avg_processing_time
    from timed
)

select
    benchmarked.allocation_id,
    benchmarked.allocation_date,
    benchmarked.order_id,
    benchmarked.order_detail_id,
    benchmarked.item_id,
    benchmarked.location_id,
    benchmarked.quantity_allocated,
    benchmarked.quantity_picked,
    benchmarked.allocation_status,
    benchmarked.allocation_status_group,
    benchmarked.priority_level,
    benchmarked.allocated_by_user,
    benchmarked.picked_by_user,
    benchmarked.created_at,
    benchmarked.picked_at,
    benchmarked.shipped_at,
    benchmarked.is_counted,
    benchmarked.is_shipped,
    benchmarked.processing_time_seconds,
    benchmarked.fulfillment_time_seconds,
    case
        when to_char(benchmarked.created_at, 'DY', 'NLS_DATE_LANGUAGE=ENGLISH') in ('SAT', 'SUN') then 'Weekend'
        else 'Weekday'
    end as created_day_type,
    case
        when benchmarked.created_hour >= {{ var('night_from_hour') }} or benchmarked.created_hour < {{ var('morning_from_hour') }} then 'Night'
        when benchmarked.created_hour < {{ var('afternoon_from_hour') }} then 'Morning'
        when benchmarked.created_hour < {{ var('evening_from_hour') }} then 'Afternoon'
        else 'Evening'
    end as created_time_type,
    case
        when benchmarked.quantity_allocated is null or benchmarked.quantity_allocated <= 0 then 'None'
        when benchmarked.quantity_allocated < 10 then 'Small'
        when benchmarked.quantity_allocated < 100 then 'Medium'
        else 'Large'
    end as quantity_tier,
    benchmarked.location_avg_processing_time,
    benchmarked.location_processing_time_p50,
    {{ pct('benchmarked.location_shipped_count', 'benchmarked.location_counted_count') }} as location_fulfillment_rate_pct,
    benchmarked.user_avg_processing_time,
    benchmarked.user_allocations_per_day,
    {{ pct('benchmarked.user_shipped_count', 'benchmarked.user_allocations_per_day') }} as user_fulfillment_rate_pct,
    benchmarked.day_avg_processing_time,
    {{ performance_against('benchmarked.counted_seconds', 'benchmarked.location_avg_processing_time') }} as processing_performance_vs_location,
    {{ performance_against('benchmarked.counted_seconds', 'benchmarked.user_avg_processing_time') }} as processing_performance_vs_user,
    benchmarked.has_invalid_quantity,
    benchmarked.has_excess_pick,
    benchmarked.data_quality_score,
    benchmarked.is_deleted,
    benchmarked.sdc_batched_at
from benchmarked
