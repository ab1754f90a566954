with source as (
    select src.* from {{ source('wms', 'location') }} src
),

renamed as (
    select
        src.location_id,
        src.location_code,
        src.location_type,
        src.zone_id,
        src.aisle,
        src.bay,
        src."LEVEL" as location_level,
        src.pick_sequence,
        src.capacity_volume as capacity_volume_litres,
        src.capacity_weight as capacity_weight_kg,
        src.current_volume as current_volume_litres,
        src.current_weight as current_weight_kg,
        src.temperature_zone,
        src.security_level,
        -- The source says S (sim) or N.
        {{ flag("src.is_active = 'S'") }} as is_active,
        src.last_updated as last_updated_at,
        {{ is_deleted('src') }} as is_deleted,
        src."_SDC_EXTRACTED_AT" as sdc_extracted_at,
        src."_SDC_BATCHED_AT" as sdc_batched_at
    from source src
),

measured as (
    select
        renamed.*,
        -- A capacity of 0 or NULL means: no limit. A utilisation against no limit is empty.
        {{ pct('renamed.current_volume_litres', 'renamed.capacity_volume_litres') }} as volume_utilization_pct,
        {{ pct('renamed.current_weight_kg', 'renamed.capacity_weight_kg') }} as weight_utilization_pct,
        {{ flag("renamed.capacity_volume_litres < 0 or renamed.capacity_weight_kg < 0
            or (renamed.capacity_volume_litres > 0 and renamed.current_volume_litres > renamed.capacity_volume_litres)
            or (renamed.capacity_weight_kg > 0 and renamed.current_weight_kg > renamed.capacity_weight_kg)") }} as has_invalid_capacity
    from renamed
),

worst as (
    select
        measured.*,
        greatest(
            coalesce(measured.volume_utilization_pct, measured.weight_utilization_pct),
            coalesce(measured.weight_utilization_pct, measured.volume_utilization_pct)
        ) as max_utilization_pct
    from measured
)

select
    worst.*,
    case
        when worst.max_utilization_pct is null then 'UNLIMITED'
        when worst.max_utilization_pct >= 100 then 'FULL'
        when worst.max_utilization_pct >= 80 then 'HIGH'
        when worst.max_utilization_pct >= 40 then 'MEDIUM'
        when worst.max_utilization_pct > 0 then 'LOW'
        else 'EMPTY'
    end as utilization_status,
    case
        when worst.has_invalid_capacity = 'Y' then 'OVERLOADED'
        when worst.max_utilization_pct is null then 'UNRATED'
        when worst.max_utilization_pct >= {{ var('location_optimal_from_pct') }}
            and worst.max_utilization_pct <= {{ var('location_optimal_to_pct') }} then 'OPTIMAL'
        else 'SUBOPTIMAL'
    end as efficiency_rating,
    {{ quality_score(['worst.has_invalid_capacity']) }} as data_quality_score
from worst
