with source as (
    select src.* from {{ source('wms', 'order_hdr') }} src
),

renamed as (
    select
        src.order_id,
        src.order_number,
        src.facility_code,
        src.company_code,
        src.customer_id,
        upper(trim(src.order_status)) as order_status,
        src.order_type,
        src.priority_code,
        src.order_date as ordered_at,
        trunc(src.order_date) as order_day,
        src.requested_ship_date,
        src.shipped_ts as shipped_at,
        src.carrier_code,
        src.ship_to_name,
        src.ship_to_city,
        src.ship_to_state,
        src.currency_code,
        src.total_amount,
        src.total_lines,
        src.created_date as created_at,
        src.last_updated as last_updated_at,
        {{ is_deleted('src') }} as is_deleted,
        src."_SDC_EXTRACTED_AT" as sdc_extracted_at,
        src."_SDC_BATCHED_AT" as sdc_batched_at
    from source src
)

select * from renamed
