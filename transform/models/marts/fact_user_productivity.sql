{{ config(materialized='view') }}

with activity as (
    select * from {{ ref('int_user_activity') }}
),

daily as (
    select
        trunc(activity.activity_hour) as activity_day,
        activity.user_name,
        activity.activity,
        sum(activity.line_count) as line_count,
        sum(activity.quantity) as quantity,
        count(distinct case when activity.line_count > 0 then activity.activity_hour end) as user_hours
    from activity
    group by trunc(activity.activity_hour), activity.user_name, activity.activity
)

select
    daily.activity_day,
    cast(to_char(daily.activity_day, 'YYYYMMDD') as number(8)) as date_key,
    daily.user_name,
    daily.activity,
    daily.line_count,
    daily.quantity,
    daily.user_hours,
    case when daily.user_hours > 0 then round(daily.line_count / daily.user_hours, 4) end as lines_per_user_hour,
    case when daily.user_hours > 0 then round(daily.quantity / daily.user_hours, 4) end as quantity_per_user_hour,
    cast(case when daily.user_hours = 0 then 'every line of the day is cancelled or deleted' end as varchar2(60)) as empty_reason
from daily
