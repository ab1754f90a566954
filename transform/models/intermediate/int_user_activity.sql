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

recomputed as (
    select allocations.* from allocations
    where allocations.allocation_date in (select touched_days.allocation_date from touched_days)
),

activities as (
    select
        recomputed.allocation_date,
        'ALLOCATION' as activity,
        recomputed.allocated_by_user as user_name,
        trunc(recomputed.created_at, 'HH24') as activity_hour,
        recomputed.is_counted as line_count,
        case when recomputed.is_counted = 1 then recomputed.quantity_allocated else 0 end as quantity,
        recomputed.sdc_batched_at
    from recomputed
    union all
    select
        recomputed.allocation_date,
        'PICK' as activity,
        coalesce(recomputed.picked_by_user, 'UNKNOWN') as user_name,
        trunc(recomputed.picked_at, 'HH24') as activity_hour,
        recomputed.is_counted as line_count,
        case when recomputed.is_counted = 1 then coalesce(recomputed.quantity_picked, 0) else 0 end as quantity,
        recomputed.sdc_batched_at
    from recomputed
    where recomputed.picked_at is not null
)

select
    activities.allocation_date,
    cast(activities.activity as varchar2(10)) as activity,
    activities.user_name,
    activities.activity_hour,
    sum(activities.line_count) as line_count,
    sum(activities.quantity) as quantity,
    max(activities.sdc_batched_at) as sdc_batched_at
from activities
group by activities.allocation_date, activities.activity, activities.user_name, activities.activity_hour
