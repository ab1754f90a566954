{#-
    dbt-oracle's own generic tests give one row with a count, and --store-failures would keep that count. These give the rows themselves.
    `model` may be `(select ... ) dbt_subquery` (config `where`), so it is never given another alias.
-#}

{% test has_no_nulls(model, column_name) %}
select * from {{ model }} where {{ column_name }} is null
{% endtest %}

{% test is_unique(model, column_name) %}
select {{ column_name }}, count(*) as row_count
from {{ model }}
where {{ column_name }} is not null
group by {{ column_name }}
having count(*) > 1
{% endtest %}

{% test is_unique_combination(model, columns) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{% test has_accepted_values(model, column_name, values) %}
select * from {{ model }}
where case when {{ column_name }} in ({% for each in values %}'{{ each }}'{{ ', ' if not loop.last }}{% endfor %}) then 1 else 0 end = 0
{% endtest %}

{% test is_in_range(model, column_name, at_least=none, at_most=none) %}
select * from {{ model }}
where {% if at_least is not none %}{{ column_name }} < {{ at_least }}{% endif %}
    {%- if at_least is not none and at_most is not none %} or {% endif %}
    {%- if at_most is not none %}{{ column_name }} > {{ at_most }}{% endif %}
{% endtest %}

{% test row_satisfies(model, expression) %}
select * from {{ model }}
where case when {{ expression }} then 1 else 0 end = 0
{% endtest %}

{% test has_parent(model, column_name, parent, parent_column) %}
select * from {{ model }}
where {{ column_name }} is not null
    and {{ column_name }} not in (select parent_row.{{ parent_column }} from {{ parent }} parent_row where parent_row.{{ parent_column }} is not null)
{% endtest %}
