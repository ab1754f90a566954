with headers as (
    select * from {{ ref('base_wms_order_headers') }}
),

lines as (
    select
        order_id,
        sum(case when is_deleted = 'N' then 1 else 0 end) as line_count,
        count(distinct case when is_deleted = 'N' then item_id end) as unique_item_count,
        sum(case when is_deleted = 'N' then quantity_ordered end) as quantity_ordered,
        sum(case when is_deleted = 'N' then quantity_allocated end) as quantity_allocated,
        sum(case when is_deleted = 'N' then quantity_shipped end) as quantity_shipped,
        sum(case when is_deleted = 'N' then line_total end) as lines_amount,
        max(sdc_batched_at) as lines_batched_at
    from {{ ref('base_wms_order_lines') }}
    group by order_id
),

measured as (
    select
        headers.order_id,
        headers.order_number,
        headers.facility_code,
        headers.company_code,
        headers.customer_id,
        headers.order_status,
        case
            when headers.order_status in ('NEW', 'CONFIRMED') then 'Open'
            when headers.order_status = 'IN_PROGRESS' then 'In progress'
            when headers.order_status = 'COMPLETED' then 'Completed'
            when headers.order_status = 'CANCELLED' then 'Cancelled'
            else 'Unknown'
        end as order_status_group,
        headers.order_type,
        headers.priority_code,
        headers.ordered_at,
        headers.order_day,
        headers.requested_ship_date,
        headers.shipped_at,
        headers.carrier_code,
        headers.ship_to_name,
        headers.ship_to_city,
        headers.ship_to_state,
        headers.currency_code,
        headers.total_amount,
        coalesce(lines.line_count, 0) as line_count,
        coalesce(lines.unique_item_count, 0) as unique_item_count,
        coalesce(lines.quantity_ordered, 0) as quantity_ordered,
        coalesce(lines.quantity_allocated, 0) as quantity_allocated,
        coalesce(lines.quantity_shipped, 0) as quantity_shipped,
        coalesce(lines.lines_amount, 0) as lines_amount,
        coalesce(headers.total_amount, 0) - coalesce(lines.lines_amount, 0) as amount_variance,
        headers.last_updated_at,
        headers.is_deleted,
        headers.sdc_extracted_at,
        headers.sdc_batched_at as headers_batched_at,
        lines.lines_batched_at
    from headers
    left join lines on headers.order_id = lines.order_id
),

checked as (
    select
        measured.*,
        {{ flag("abs(measured.amount_variance) > " ~ var('order_total_tolerance')) }} as has_amount_variance,
        {{ flag("measured.requested_ship_date < measured.order_day") }} as has_invalid_dates,
        {{ flag("measured.ship_to_name is null") }} as has_no_receiver
    from measured
)

select
    checked.*,
    case
        when checked.total_amount is null then 'Unknown'
        when checked.total_amount < {{ var('order_size_medium_from') }} then 'Small'
        when checked.total_amount < {{ var('order_size_large_from') }} then 'Medium'
        when checked.total_amount < {{ var('order_size_enterprise_from') }} then 'Large'
        else 'Enterprise'
    end as order_size_category,
    {{ quality_score(['checked.has_amount_variance', 'checked.has_invalid_dates', 'checked.has_no_receiver']) }} as data_quality_score
from checked
