with negative as (select id from {{ ref('m_table') }} where id < 0)
select id from negative
