{{ config(materialized='view') }}

with locations as (
    select * from {{ ref('stg_wms_locations') }}
)

select
    locations.location_id,
    locations.location_code,
    locations.location_type,
    locations.zone_id,
    locations.aisle,
    locations.bay,
    locations.location_level,
    locations.temperature_zone,
    locations.is_active,
    locations.capacity_volume_litres,
    locations.current_volume_litres,
    locations.volume_utilization_pct,
    locations.capacity_weight_kg,
    locations.current_weight_kg,
    locations.weight_utilization_pct,
    locations.max_utilization_pct,
    cast(case when locations.max_utilization_pct is null then 'the location has no capacity limit' end as varchar2(60)) as utilization_empty_reason,
    cast(locations.utilization_status as varchar2(10)) as utilization_status,
    cast(locations.efficiency_rating as varchar2(10)) as efficiency_rating,
    locations.has_invalid_capacity,
    cast(locations.data_quality_score as varchar2(10)) as data_quality_score,
    locations.is_deleted,
    locations.sdc_batched_at
from locations
