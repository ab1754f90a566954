with source as (
    select src.* from {{ source('wms', 'order_dtl') }} src
),

renamed as (
    select
        src.order_detail_id,
        src.order_id,
        src.line_number,
        src.item_id,
        src.quantity_ordered,
        src.quantity_allocated,
        src.quantity_shipped,
        src.unit_price,
        src.line_total,
        upper(trim(src.line_status)) as line_status,
        src.created_date as created_at,
        src.last_updated as last_updated_at,
        {{ is_deleted('src') }} as is_deleted,
        src."_SDC_EXTRACTED_AT" as sdc_extracted_at,
        src."_SDC_BATCHED_AT" as sdc_batched_at
    from source src
)

select * from renamed
