{{ config(materialized='table', contract={'enforced': true}) }}
select cast(id as number(19)) as id, cast(code as varchar2(10)) as code, cast(valid_from as timestamp) as valid_from from {{ ref('m_view') }}
