with source as (
    select src.* from {{ source('wms', 'allocation') }} src
),

renamed as (
    select
        src.allocation_id,
        src.order_id,
        src.order_detail_id,
        src.item_id,
        src.location_id,
        src.wave_id,
        src.quantity_allocated,
        src.quantity_picked,
        src.unit_of_measure,
        upper(trim(src.allocation_status)) as allocation_status,
        src.priority_level,
        coalesce(src.allocated_by_user, 'SYSTEM') as allocated_by_user,
        src.picked_by_user,
        src.lot_number,
        src.created_date as created_at,
        trunc(src.created_date) as allocation_date,
        src.picked_ts as picked_at,
        src.shipped_ts as shipped_at,
        src.last_updated as last_updated_at,
        {{ is_deleted('src') }} as is_deleted,
        src."_SDC_EXTRACTED_AT" as sdc_extracted_at,
        src."_SDC_BATCHED_AT" as sdc_batched_at
    from source src
),

checked as (
    select
        renamed.*,
        {{ flag("renamed.quantity_allocated is null or renamed.quantity_allocated <= 0") }} as has_invalid_quantity,
        {{ flag("renamed.quantity_picked > renamed.quantity_allocated") }} as has_excess_pick,
        {{ flag("renamed.allocation_status is null or renamed.allocation_status not in ('ALLOCATED', 'RESERVED', 'PICKED', 'SHIPPED', 'CANCELLED')") }}
            as has_invalid_status,
        {{ flag("renamed.last_updated_at < renamed.created_at or renamed.picked_at < renamed.created_at or renamed.shipped_at < renamed.picked_at") }}
            as has_invalid_dates
    from renamed
)

select
    checked.*,
    case
        when checked.allocation_status in ('ALLOCATED', 'RESERVED', 'PICKED') then 'Active'
        when checked.allocation_status = 'SHIPPED' then 'Fulfilled'
        when checked.allocation_status = 'CANCELLED' then 'Cancelled'
        else 'Unknown'
    end as allocation_status_group,
    {{ quality_score(['checked.has_invalid_quantity', 'checked.has_excess_pick', 'checked.has_invalid_status', 'checked.has_invalid_dates']) }}
        as data_quality_score
from checked
