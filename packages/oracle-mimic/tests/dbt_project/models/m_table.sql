{{ config(materialized='table', grants={'select': ['REPORTER']},
          post_hook="begin dbms_stats.gather_table_stats(ownname=>'{{ this.schema }}', tabname=>upper('{{ this.name }}')); end;") }}
select id, code, rate, valid_from from {{ ref('m_view') }}
