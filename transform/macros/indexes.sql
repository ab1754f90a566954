{#-
    Indexes that make an incremental run cost what has changed, not what is there. Created once; a run that finds them does nothing.
    A raw table's index is the loader's to keep when it swaps the table, and ours to make; without the privilege we go on without it.
-#}

{% macro ensure_indexes(relation, indexes, optional=false) -%}
    {#- indexes: {suffix: column list}. ORA-00955 and ORA-01408 mean that it is there under another name. optional: go on without it when the table is being written (ORA-00054, the next run tries again) or is not ours. -#}
    declare
        found_indexes number;
    begin
        {%- for suffix, columns in indexes.items() %}
        {%- set name = (relation.identifier ~ '_' ~ suffix) | upper %}
        select count(*) into found_indexes
        from all_indexes
        where owner = '{{ relation.schema | upper }}' and index_name = '{{ name }}';
        if found_indexes = 0 then
            begin
                execute immediate 'create index {{ relation.schema }}.{{ name }} on {{ relation }} ({{ columns }})';
            exception
                when others then
                    if sqlcode not in (-955, -1408{{ ', -54, -942, -1031' if optional }}) then
                        raise;
                    end if;
            end;
        end if;
        {%- endfor %}
    end;
{%- endmacro %}
