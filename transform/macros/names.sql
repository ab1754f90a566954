{#- A schema is a user in Oracle, and dbt cannot make users: everything goes into the one of the profile. -#}
{% macro generate_schema_name(custom_schema_name=none, node=none) -%}
    {{ target.schema }}
{%- endmacro %}

{#- Rows kept by --store-failures: tables dq_<test>. -#}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- if node is not none and node.resource_type == 'test' -%}
        dq_{{ node.name }}
    {%- else -%}
        {{ custom_alias_name or node.name }}
    {%- endif -%}
{%- endmacro %}
