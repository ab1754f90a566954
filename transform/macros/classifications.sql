{% macro performance_against(value, benchmark) -%}
    {#- Faster and Slower: by more than a tenth of the benchmark -#}
    case
        when {{ value }} is null or {{ benchmark }} is null then 'No data'
        when {{ value }} < 0.9 * {{ benchmark }} then 'Faster'
        when {{ value }} > 1.1 * {{ benchmark }} then 'Slower'
        else 'Typical'
    end
{%- endmacro %}
