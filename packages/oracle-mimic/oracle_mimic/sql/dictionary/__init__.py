"""The data dictionary (ALL_, USER_, DBA_) and the fixed views (V$, GV$), as virtual relations of the engine.

Every module but `definition` and `printed_types` declares views: a name, the columns with their Oracle types, and a function that yields
the rows for a `Scope`: who asks (a session), what he may see and the catalog of that moment. `definition` turns a declaration into
`relations.VirtualRelation`s, whose rows are Arrow tables made when a statement runs; the binder never knows that they are not tables.
A family (`family("TABLES", ...)`) gives ALL_TABLES, USER_TABLES and DBA_TABLES from one declaration; a fixed view gives V_$X, GV_$X and
their public synonyms V$X, GV$X.
What is not known is NULL, as Oracle shows it without statistics; a view or column that the mimic cannot fill truthfully does not
exist (ORA-00942, ORA-00904).
"""

from __future__ import annotations

from oracle_mimic.sql.dictionary import absent, activity, instance, keys, objects, parallel_execute, statistics, storage, tables, users
from oracle_mimic.sql.dictionary.definition import DictionaryView
from oracle_mimic.sql.relations import VirtualRelations

VIEWS: dict[str, DictionaryView] = {
    view.name: view
    for module in (tables, keys, objects, users, storage, instance, activity, statistics, parallel_execute, absent)
    for view in module.VIEWS
}


def install(virtual: VirtualRelations) -> None:
    """Make every view known to a database."""
    for view in VIEWS.values():
        virtual.register(view.relation())


__all__ = ["VIEWS", "DictionaryView", "install"]
