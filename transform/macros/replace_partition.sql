{#-
    Incremental strategy `replace_partition`: the model's query gives complete partitions (days); each takes the place of the old one.

    meta of the model: partition_column, and version_columns - watermarks that never fall in a partition.

    Why an own one: dbt-oracle's delete+insert is followed, when its insert fails, by DDL that commits the delete: the day would be gone.
    Here the block undoes its own work first. The table's lock makes two runs take turns; readers are never locked out and see the old rows
    until COMMIT. A run whose rows were read before another run's are refused (ORA-20001) instead of bringing an old state back.
-#}

{% macro get_incremental_replace_partition_sql(arguments) -%}
    {%- set target, temporary = arguments['target_relation'], arguments['temp_relation'] -%}
    {%- set settings = config.get('meta') -%}
    {%- set partition = settings['partition_column'] -%}
    {%- set names = get_quoted_column_csv(model, arguments['dest_columns'] | map(attribute='name') | list) -%}
    declare
        newer_days number;
    begin
        savepoint before_replacement;
        lock table {{ target }} in exclusive mode;
        select count(*) into newer_days
        from (
            select {{ partition }} as partition_value
                {%- for each in settings['version_columns'] %}, max({{ each }}) as version_{{ loop.index }}{% endfor %}
            from {{ target }}
            where {{ partition }} in (select {{ partition }} from {{ temporary }})
            group by {{ partition }}
        ) present
        inner join (
            select {{ partition }} as partition_value
                {%- for each in settings['version_columns'] %}, max({{ each }}) as version_{{ loop.index }}{% endfor %}
            from {{ temporary }}
            group by {{ partition }}
        ) arriving on present.partition_value = arriving.partition_value
        where {% for each in settings['version_columns'] -%}
            present.version_{{ loop.index }} > arriving.version_{{ loop.index }}{{ ' or ' if not loop.last }}
        {%- endfor %};
        if newer_days > 0 then
            raise_application_error(-20001, 'another run has brought {{ target.identifier }} further; run again');
        end if;
        delete from {{ target }} where {{ partition }} in (select {{ partition }} from {{ temporary }});
        insert into {{ target }} ({{ names }}) select {{ names }} from {{ temporary }};
    exception
        when others then
            rollback to savepoint before_replacement;
            raise;
    end;
{%- endmacro %}
