{#- Small expressions that every model writes alike. A condition in SQL is no value before Oracle 23ai, so flags are 'Y' or 'N'. -#}

{% macro flag(condition) -%}
    cast(case when {{ condition }} then 'Y' else 'N' end as varchar2(1))
{%- endmacro %}

{% macro is_deleted(alias) -%}
    {{ flag(alias ~ '."_SDC_DELETED_AT" is not null') }}
{%- endmacro %}

{% macro pct(part, whole) -%}
    {#- part as a percentage of whole, two decimals; NULL when whole is NULL or not positive -#}
    case when {{ whole }} > 0 then round(100 * {{ part }} / {{ whole }}, 2) end
{%- endmacro %}

{% macro seconds_between(earlier, later) -%}
    {#- whole seconds; DATE minus DATE is a number of days, whatever fraction the timestamps had -#}
    round((cast({{ later }} as date) - cast({{ earlier }} as date)) * 86400)
{%- endmacro %}

{% macro quality_score(flags) -%}
    {#- Excellent: no flag is Y; Good: one; Poor: more -#}
    case
        {%- for wanted, score in [(0, 'Excellent'), (1, 'Good')] %}
        when {% for each in flags %}decode({{ each }}, 'Y', 1, 0){{ ' + ' if not loop.last }}{% endfor %} = {{ wanted }} then '{{ score }}'
        {%- endfor %}
        else 'Poor'
    end
{%- endmacro %}

{% macro surrogate_key(columns) -%}
    {#- 32 hexadecimal digits from the columns' text; numbers and dates by masks, so that no session setting changes a key -#}
    lower(rawtohex(standard_hash({% for each in columns %}{{ each }}{{ " || '|' || " if not loop.last }}{% endfor %}, 'MD5')))
{%- endmacro %}

{% macro rows_differ(columns, new, old) -%}
    {#- true when a column differs between the two aliases; NULL equals NULL -#}
    ({% for each in columns %}decode({{ new }}.{{ each }}, {{ old }}.{{ each }}, 0, 1) = 1{{ ' or ' if not loop.last }}{% endfor %})
{%- endmacro %}

{% macro utc_now() -%}
    cast(sys_extract_utc(systimestamp) as timestamp(6))
{%- endmacro %}

{% macro as_of_day() -%}
    {#- the day on which ages are counted: variable as_of, else today in UTC -#}
    {%- if var('as_of') -%}
        to_date('{{ var("as_of") }}', 'YYYY-MM-DD')
    {%- else -%}
        trunc(sys_extract_utc(systimestamp))
    {%- endif -%}
{%- endmacro %}
