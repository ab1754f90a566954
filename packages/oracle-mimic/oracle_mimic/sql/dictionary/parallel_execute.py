"""PARALLEL_EXECUTE_TASKS and PARALLEL_EXECUTE_CHUNKS: what DBMS_PARALLEL_EXECUTE has cut into pieces."""

from __future__ import annotations

from collections.abc import Iterator

from oracle_mimic.sql import rowids
from oracle_mimic.sql.dictionary.definition import DictionaryView, Row, Scope, family
from oracle_mimic.sql.parallel_execute import Task

_TASKS = """
    TASK_OWNER VARCHAR2(128) NOT NULL
    TASK_NAME VARCHAR2(128) NOT NULL
    CHUNK_TYPE VARCHAR2(12)
    STATUS VARCHAR2(19)
    TABLE_OWNER VARCHAR2(128)
    TABLE_NAME VARCHAR2(128)
    NUMBER_COLUMN VARCHAR2(128)
    TASK_COMMENT VARCHAR2(4000)
    JOB_PREFIX VARCHAR2(128)
    SQL_STMT CLOB
    LANGUAGE_FLAG NUMBER
    EDITION VARCHAR2(130)
    APPLY_CROSSEDITION_TRIGGER VARCHAR2(130)
    FIRE_APPLY_TRIGGER VARCHAR2(10)
    PARALLEL_LEVEL NUMBER
    JOB_CLASS VARCHAR2(128)
"""
_CHUNKS = """
    CHUNK_ID NUMBER NOT NULL
    TASK_OWNER VARCHAR2(128) NOT NULL
    TASK_NAME VARCHAR2(128) NOT NULL
    STATUS VARCHAR2(20) NOT NULL
    START_ROWID ROWID
    END_ROWID ROWID
    START_ID NUMBER
    END_ID NUMBER
    JOB_NAME VARCHAR2(30)
"""


def _visible(scope: Scope) -> Iterator[Task]:
    return (task for task in scope.database.parallel_execute.tasks() if scope.level == "DBA" or task.owner == scope.user)


def _tasks(scope: Scope) -> Iterator[Row]:
    for task in _visible(scope):
        yield {
            "TASK_OWNER": task.owner, "TASK_NAME": task.name, "CHUNK_TYPE": task.kind, "STATUS": task.status,
            "TABLE_OWNER": task.table_owner, "TABLE_NAME": task.table, "NUMBER_COLUMN": task.column, "TASK_COMMENT": task.comment,
        }  # fmt: skip


def _chunks(scope: Scope) -> Iterator[Row]:
    for task in _visible(scope):
        for chunk in task.chunks:
            row: Row = {"CHUNK_ID": chunk.number, "TASK_OWNER": task.owner, "TASK_NAME": task.name, "STATUS": chunk.status}
            if isinstance(chunk.start, str) and isinstance(chunk.end, str):
                row |= {"START_ROWID": rowids.from_text(chunk.start), "END_ROWID": rowids.from_text(chunk.end)}
            else:
                row |= {"START_ID": chunk.start, "END_ID": chunk.end}
            yield row


VIEWS: tuple[DictionaryView, ...] = (
    *family("PARALLEL_EXECUTE_TASKS", _TASKS, _tasks, user_without=("TASK_OWNER",), levels=("USER", "DBA"), lasting=False),
    *family("PARALLEL_EXECUTE_CHUNKS", _CHUNKS, _chunks, user_without=("TASK_OWNER",), levels=("USER", "DBA"), lasting=False),
)
