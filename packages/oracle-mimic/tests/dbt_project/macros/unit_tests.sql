{# dbt's own unit test SQL runs on no Oracle before 23ai: SELECT without FROM (ORA-00923), LIMIT, names that begin with "_" (ORA-00911), WITH in
   WITH (ORA-32034) and text cast to TIMESTAMP by the session's format (ORA-01843). These five say the same in Oracle's words. #}
{% macro rows_as_select(rows, types) %}
  {%- for row in rows or [{}] %}
  {%- set given = format_row(row, types) %}
  select {% for name, type in types.items() %}{{ given.get(name, 'cast(null as ' ~ type ~ ')') }} as {{ adapter.quote(name | upper) }}{{ ', ' if not loop.last }}{% endfor %} from dual {{ 'where 1 = 0' if not rows }}
  {{ 'union all' if not loop.last }}
  {%- endfor %}
{% endmacro %}

{% macro get_fixture_sql(rows, column_name_to_data_types) %}
  {%- set types = {} %}
  {%- for column in adapter.get_columns_in_relation(defer_relation if defer_relation and not load_relation(this) else this) if not column_name_to_data_types %}
    {%- do types.update({column.name | lower: column.data_type}) %}
  {%- endfor %}
  {{- rows_as_select(rows, column_name_to_data_types or types) }}
{% endmacro %}

{% macro get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted) %}
  {%- set expected = {} %}
  {%- for name, type in column_name_to_data_types.items() if not rows or name in rows[0].keys() | map('lower') | list %}
    {%- do expected.update({name: type}) %}
  {%- endfor %}
  {{- rows_as_select(rows, expected) }}
{% endmacro %}

{% macro oracle__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) %}
  select {{ expected_column_names | join(', ') }}, 'actual' as "actual_or_expected" from ({{ main_sql }})
  union all
  select {{ expected_column_names | join(', ') }}, 'expected' as "actual_or_expected" from ({{ expected_fixture_sql }})
{% endmacro %}

{% macro oracle__safe_cast(field, type) %}
  {%- if (field | string).startswith("'") and type.lower().startswith('timestamp') -%}
    cast(to_timestamp({{ field }}, 'YYYY-MM-DD HH24:MI:SS.FF') as {{ type }})
  {%- else -%}
    cast({{ field }} as {{ type }})
  {%- endif -%}
{% endmacro %}
