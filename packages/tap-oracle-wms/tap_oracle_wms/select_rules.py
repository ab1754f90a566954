"""Selected names that do not exist are errors: in a catalog, and in Meltano's `select` and `metadata`.

Meltano applies its rules to the catalog before the tap sees it; of a name that is not there it says a warning, and the run then reads
nothing and succeeds. But it passes the rules on in the environment as well, so the tap compares them with the catalog itself.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Set
from fnmatch import fnmatchcase
from typing import Any

import singer_sdk.singerlib as singer
from oracle_connection.errors import ConfigurationError

VARIABLES = {"select": "MELTANO_EXTRACT__SELECT", "select_filter": "MELTANO_EXTRACT__SELECT_FILTER"}
METADATA = "MELTANO_EXTRACT__METADATA"
OWN_CATALOG = "MELTANO_EXTRACT__CATALOG"
"""With a catalog file of the user's Meltano leaves its own rules aside."""
_WILDCARDS = frozenset("*?[")
_UNESCAPED_DOT = re.compile(r"(?<!\\)\.")


def check_rules(environment: Mapping[str, str], streams: Mapping[str, Set[str]]) -> None:
    """Raise ConfigurationError for a rule that matches no stream, or no column of the streams it matches.

    streams: column names by stream, selected or not.
    """
    if environment.get(OWN_CATALOG):
        return
    for extra, variable in VARIABLES.items():
        for rule in _parse(environment.get(variable), list):
            pattern = str(rule).removeprefix("!")
            if pattern != rule and _WILDCARDS & set(pattern):
                continue  # keeping back what may come one day is a precaution
            parts = _UNESCAPED_DOT.split(pattern, maxsplit=1)
            _check(f"{extra}: {rule}", parts[0].replace("\\.", "."), parts[1] if len(parts) > 1 else "*", streams)
    for rule, values in _parse(environment.get(METADATA), dict).items():
        stream, *rest = _UNESCAPED_DOT.split(rule)
        nested = values if isinstance(values, dict) else {}
        columns = rest[:1] if len(rest) > 1 or (rest and nested) else [name for name, value in nested.items() if isinstance(value, dict)]
        for column in columns or ["*"]:
            _check(f"metadata: {rule}", stream, column, streams)


def selects(environment: Mapping[str, str], stream: str, column: str) -> bool:
    """True when Meltano's rules select a column; an exclusion counts more than any inclusion. Without rules False."""
    if environment.get(OWN_CATALOG):
        return False
    included = False
    for rule in _parse(environment.get(VARIABLES["select"]), list):
        parts = _UNESCAPED_DOT.split(str(rule).removeprefix("!"), maxsplit=1)
        if len(parts) > 1 and fnmatchcase(stream, parts[0].replace("\\.", ".")) and fnmatchcase(column, parts[1]):
            if str(rule).startswith("!"):
                return False
            included = True
    return included


def named_streams(environment: Mapping[str, str]) -> list[str]:
    """The streams that Meltano's rules select by name, without a wildcard."""
    rules = [str(rule) for rule in _parse(environment.get(VARIABLES["select"]), list)]
    names = (_UNESCAPED_DOT.split(rule, maxsplit=1)[0].replace("\\.", ".") for rule in rules if not rule.startswith("!"))
    return [name for name in dict.fromkeys(names) if not _WILDCARDS & set(name)]


def _parse(text: str | None, kind: type) -> Any:
    """A value as Meltano writes it; nothing for what is not JSON of that kind."""
    try:
        value = json.loads(text or "null")
    except ValueError:
        value = None
    return value if isinstance(value, kind) else kind()


def _check(rule: str, stream: str, column: str, streams: Mapping[str, Set[str]]) -> None:
    matching = [columns for name, columns in streams.items() if fnmatchcase(name, stream)]
    if not matching:
        message = f"{rule}: there is no stream {stream}; {_similar(stream, streams.keys())}"
        raise ConfigurationError(message)
    if not any(fnmatchcase(name, column) for columns in matching for name in columns):
        message = f"{rule}: {stream} has no column {column}; {_similar(column, {name for columns in matching for name in columns})}"
        raise ConfigurationError(message)


def _similar(name: str, names: Set[str]) -> str:
    near = {each.upper(): each for each in names}
    found = [near[each] for each in difflib.get_close_matches(name.upper(), near, n=3)]
    return f"did you mean {' or '.join(found)}?" if found else f"there are {', '.join(sorted(names)[:20])}"


def column_names(given: singer.Catalog) -> dict[str, set[str]]:
    """The columns of each stream of a catalog, selected or not, carried or not."""
    return {
        entry.tap_stream_id: {*(entry.schema.properties or {}), *(crumb[1] for crumb in entry.metadata if len(crumb) == 2)}
        for entry in given.streams
    }


def check_metadata(given: singer.Catalog) -> None:
    """Raise ConfigurationError when a catalog selects a column of which its schema knows nothing."""
    for entry in given.streams:
        for crumb, metadata in entry.metadata.items():
            unsupported = metadata.inclusion == singer.Metadata.InclusionType.UNSUPPORTED
            if len(crumb) == 2 and metadata.selected and not unsupported and crumb[1] not in (entry.schema.properties or {}):
                message = f"the catalog selects column {crumb[1]} of stream {entry.tap_stream_id}, which its schema does not have"
                raise ConfigurationError(message)
