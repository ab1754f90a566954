{#-
    dbt writes every comment at every run: a DDL statement per column, each of which makes the database parse all queries on the table anew.
    This writes the ones that differ from what the dictionary has.
-#}

{% macro oracle__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set owner, name = relation.schema | upper, relation.identifier | upper -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- set present = run_query("select comments from all_tab_comments where owner = '" ~ owner ~ "' and table_name = '" ~ name ~ "'") -%}
        {%- if present.rows | length == 0 or present.rows[0][0] != model.description -%}
            {%- do run_query(alter_relation_comment(relation, model.description)) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() and model.columns -%}
        {%- set present = {} -%}
        {%- for row in run_query("select column_name, comments from all_col_comments where owner = '" ~ owner ~ "' and table_name = '" ~ name ~ "'").rows -%}
            {%- do present.update({row[0]: row[1]}) -%}
        {%- endfor -%}
        {%- for column in model.columns.values() if column.description and present.get(column.name | upper) != column.description -%}
            {%- if "'" ~ '>' in column.description or ">'" in column.description -%}
                {%- do exceptions.raise_compiler_error("The description of " ~ column.name ~ " holds >', which ends Oracle's quoting.") -%}
            {%- endif -%}
            {%- do run_query("comment on column " ~ relation ~ "." ~ column.name ~ " is q'<" ~ column.description ~ ">'") -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
