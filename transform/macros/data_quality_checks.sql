{#-
    dbt run-operation oracle_data_quality_checks [--args '{models: [stg_wms_orders], fail_on: warn}']

    Asks every rule (tests with the tag `rule`) how many rows break it, in one query, and prints a table. Unlike `dbt test` it runs nothing else
    and stores nothing. Verdicts follow the tests' own thresholds (warn_if, error_if).

    models: only rules on these models (default: all). fail_on: the verdict from which the exit code is not 0 - error (default), warn, or none.
-#}

{% macro oracle_data_quality_checks(models=none, fail_on='error') -%}
    {%- if fail_on not in ['error', 'warn', 'none'] -%}
        {%- do exceptions.raise_compiler_error("fail_on is error, warn or none, not " ~ fail_on) -%}
    {%- endif -%}
    {%- set wanted = [models] if models is string else models -%}
    {%- set checks, queries = [], [] -%}
    {%- for node in graph.nodes.values() | sort(attribute='name')
        if node.resource_type == 'test' and 'rule' in node.tags and node.test_metadata -%}
        {%- set tested = graph.nodes[node.attached_node] -%}
        {%- if wanted is none or tested.name in wanted -%}
            {%- do checks.append({'name': node.name, 'model': tested.name, 'warn_if': node.config.warn_if, 'error_if': node.config.error_if,
                'severity': node.config.severity | lower}) -%}
            {%- do queries.append("select " ~ checks | length ~ " as check_number, count(*) as broken_rows from "
                ~ api.Relation.create(database=tested.database, schema=tested.schema, identifier=tested.alias)
                ~ " where " ~ (node.config.where or '1 = 1') ~ " and " ~ rule_is_broken(node.test_metadata)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not checks -%}
        {%- do exceptions.raise_compiler_error("no rule is on the models " ~ wanted | join(', ')) -%}
    {%- endif -%}
    {%- set found = run_query(queries | join(' union all ') ~ ' order by 1') -%}
    {%- set verdicts = {'ok': 0, 'warn': 0, 'error': 0} -%}
    {%- do print("%-36s %-24s %12s  %s" | format('rule', 'model', 'broken rows', 'verdict')) -%}
    {%- for row in found.rows -%}
        {%- set check = checks[loop.index0] -%}
        {%- set broken = row[1] | int -%}
        {%- if check.severity == 'error' and is_beyond(broken, check.error_if) -%}
            {%- set verdict = 'error' -%}
        {%- elif is_beyond(broken, check.warn_if) -%}
            {%- set verdict = 'warn' -%}
        {%- else -%}
            {%- set verdict = 'ok' -%}
        {%- endif -%}
        {%- do verdicts.update({verdict: verdicts[verdict] + 1}) -%}
        {%- do print("%-36s %-24s %12d  %s" | format(check.name, check.model, broken, verdict)) -%}
    {%- endfor -%}
    {%- do print(checks | length ~ " rules: " ~ verdicts['ok'] ~ " ok, " ~ verdicts['warn'] ~ " warn, " ~ verdicts['error'] ~ " error") -%}
    {%- if (fail_on != 'none' and verdicts['error']) or (fail_on == 'warn' and verdicts['warn']) -%}
        {%- do exceptions.raise_compiler_error("rules are broken; the rows themselves: dbt test --store-failures -s tag:rule") -%}
    {%- endif -%}
{%- endmacro %}

{% macro rule_is_broken(test_metadata) -%}
    {%- set arguments = test_metadata.kwargs -%}
    {%- if test_metadata.name == 'row_satisfies' -%}
        {{ return('case when ' ~ arguments.expression ~ ' then 1 else 0 end = 0') }}
    {%- elif test_metadata.name == 'has_parent' -%}
        {%- set parent = modules.re.search("ref\\('(\\w+)'\\)", arguments.parent).group(1) -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.' ~ parent] -%}
        {{ return(arguments.column_name ~ ' is not null and ' ~ arguments.column_name ~ ' not in (select ' ~ arguments.parent_column ~ ' from '
            ~ api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias) ~ ' where ' ~ arguments.parent_column
            ~ ' is not null)') }}
    {%- endif -%}
    {%- do exceptions.raise_compiler_error("a rule is a row_satisfies or a has_parent test, not " ~ test_metadata.name) -%}
{%- endmacro %}

{% macro is_beyond(count, threshold) -%}
    {#- threshold as dbt writes it: `>10`, `>=1`, `!= 0` -#}
    {%- set parts = modules.re.match('\\s*(>=|>|!=)\\s*(\\d+)', threshold) -%}
    {%- if not parts -%}
        {%- do exceptions.raise_compiler_error("a rule's threshold is > or >= and a number, not " ~ threshold) -%}
    {%- endif -%}
    {%- set limit = parts.group(2) | int -%}
    {{ return(count >= limit if parts.group(1) == '>=' else (count > limit if parts.group(1) == '>' else count != limit)) }}
{%- endmacro %}
