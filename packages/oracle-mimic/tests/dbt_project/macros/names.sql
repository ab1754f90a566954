{# dbt's default makes <target>_<custom>: the mimic's users are RESULTS and HISTORY. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ custom_schema_name if custom_schema_name else target.schema }}
{%- endmacro %}

{% macro check_rows(relation_name, expected) %}
  {% set found = run_query('select count(*) as n from ' ~ ref(relation_name)).columns[0].values()[0] %}
  {% if found != expected %}{{ exceptions.raise_compiler_error(relation_name ~ ' has ' ~ found ~ ' rows') }}{% endif %}
{% endmacro %}
