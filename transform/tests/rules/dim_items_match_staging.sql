{{ config(tags=['reconciliation']) }}

select
    coalesce(expected.item_id, found.item_id) as item_id,
    expected.item_code as expected_code,
    found.item_code as found_code
from {{ ref('stg_wms_items') }} expected
full outer join {{ ref('dim_items') }} found on expected.item_id = found.item_id
where (expected.item_id is null or found.item_id is null)
    {# an item that was loaded after the last run comes with the next one #}
    and (expected.sdc_batched_at is null or expected.sdc_batched_at <= (select cast(max(dim.dim_updated_at) as timestamp(6)) from {{ ref('dim_items') }} dim))
