with source as (
    select src.* from {{ source('wms', 'item_master') }} src
),

renamed as (
    select
        src.item_id,
        src.item_code,
        src.item_description,
        src.item_category,
        src.unit_of_measure,
        src.standard_cost,
        src.item_weight as item_weight_kg,
        src.item_volume as item_volume_litres,
        src.storage_type,
        src.shelf_life_days,
        src.hazmat_class,
        -- The source says S (sim) or N.
        {{ flag("src.is_active = 'S'") }} as is_active,
        src.created_date as created_at,
        src.last_updated as last_updated_at,
        {{ is_deleted('src') }} as is_deleted,
        src."_SDC_EXTRACTED_AT" as sdc_extracted_at,
        src."_SDC_BATCHED_AT" as sdc_batched_at
    from source src
),

checked as (
    select
        renamed.*,
        case when regexp_like(renamed.item_code, '{{ var("item_code_pattern") }}') then 'N' else 'Y' end as has_invalid_code,
        {{ flag("renamed.item_description is null") }} as has_no_description,
        {{ flag("renamed.standard_cost is null or renamed.standard_cost <= 0") }} as has_invalid_cost
    from renamed
)

select
    checked.*,
    case
        when checked.standard_cost is null then 'Unknown'
        when checked.standard_cost < {{ var('item_value_medium_from') }} then 'Low'
        when checked.standard_cost < {{ var('item_value_high_from') }} then 'Medium'
        else 'High'
    end as value_category,
    {{ quality_score(['checked.has_invalid_code', 'checked.has_no_description', 'checked.has_invalid_cost']) }} as data_quality_score
from checked
