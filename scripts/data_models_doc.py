"""Writes docs/data-models.md and the picture of the lineage from the dbt project: models, columns, rules. No database is needed.

    .venv/bin/python scripts/data_models_doc.py

A test compares both files with the project.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
PAGE, PICTURE = ROOT / "docs" / "data-models.md", ROOT / "docs" / "data-models.svg"
LAYERS = ("sources", "base", "staging", "intermediate", "marts")
COLOURS = {"sources": "#e8e8e8", "base": "#dbeafe", "staging": "#bfdbfe", "intermediate": "#fde68a", "marts": "#bbf7d0"}
BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, MARGIN = 210, 34, 60, 14, 30

INTRODUCTION = """# Data models

Written by `scripts/data_models_doc.py` from the dbt project in `transform/`; change it there.
How to run it: [README](../README.md#data-models).

![Lineage: from the raw tables through staging and intermediate models to the marts](data-models.svg)

Conventions: times are UTC; keys are whole numbers as in the WMS; flags are `Y` or `N`; a percentage has two places and is empty (NULL)
where there is nothing to divide by; a measure that can be empty has a column beside it that says why.
What changed since the last run is found by the start of the load transactions, never by business time: a row that comes late is a change of
the day it belongs to.
"""


def manifest_of_project() -> dict[str, Any]:
    """dbt's own description of the project. subprocess.CalledProcessError when it does not parse."""
    with tempfile.TemporaryDirectory() as home:
        nobody = {"TARGET_ORACLE_USERNAME": "NOBODY", "TARGET_ORACLE_PASSWORD": "none", "TARGET_ORACLE_HOST": "localhost"}
        variables = {"PATH": os.environ["PATH"], "DBT_TARGET_PATH": home, "DBT_LOG_PATH": home, **nobody}
        command = [ROOT / ".tools" / "dbt" / "bin" / "dbt", "--quiet", "parse", "--profiles-dir", "profiles"]
        subprocess.run(command, cwd=ROOT / "transform", env=variables, check=True)  # noqa: S603 - our own command
        return dict(json.loads((Path(home) / "manifest.json").read_text()))


def layer_of(node: dict[str, Any]) -> str:
    if node["resource_type"] == "source":
        return "sources"
    return next(part for part in reversed(Path(node["path"]).parts[:-1]) if part in LAYERS)


def models_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Models in the order of layers and names."""
    found = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    return sorted(found, key=lambda node: (LAYERS.index(layer_of(node)), node["name"]))


def page(manifest: dict[str, Any]) -> str:
    """docs/data-models.md."""
    parts = [INTRODUCTION, "## Raw tables\n", "| table | grain | is stale after |", "|---|---|---|"]
    for source in sorted(manifest["sources"].values(), key=lambda each: each["name"]):
        limit = (source["config"].get("freshness") or {}).get("error_after") or {}
        stale = f"{limit['count']} {limit['period']}s" if limit.get("count") else "-"
        parts.append(f"| `{source['identifier']}` | {source['description']} | {stale} |")
    for layer, title in (("base", "Base"), ("staging", "Staging"), ("intermediate", "Intermediate"), ("marts", "Marts")):
        parts.append(f"\n## {title}")
        parts += [_model(manifest, node) for node in models_of(manifest) if layer_of(node) == layer]
    parts += ["\n## Rules\n", "Tests with the tag `rule`: `dbt test -s tag:rule --store-failures` keeps the rows in `dq_<rule>`.\n"]
    parts += ["| rule | on | what to do when it fails |", "|---|---|---|"]
    parts += [f"| `{test['name']}` | {_tested(manifest, test)} | {test['description']} |" for test in _tests(manifest, "rule")]
    parts += [
        "\n## Reconciliation\n",
        "Each mart is compared with what it is made from.\n",
        "| test | what to do when it fails |",
        "|---|---|",
    ]
    parts += [f"| `{test['name']}` | {test['description']} |" for test in _tests(manifest, "reconciliation")]
    parts += ["\n## Macros\n", "| macro | what |", "|---|---|"]
    for macro in sorted(manifest["macros"].values(), key=lambda each: each["name"]):
        if macro["package_name"] == "wms" and macro["description"]:
            arguments = ", ".join(each["name"] for each in macro["arguments"])
            parts.append(f"| `{macro['name']}({arguments})` | {macro['description']} |")
    parts += [
        "\n## Variables\n",
        "In `transform/dbt_project.yml`, or `--vars` of one run.\n",
        "| variable | default | what |",
        "|---|---|---|",
    ]
    parts += [f"| `{name}` | `{value}` | {what} |" for name, value, what in _variables()]
    return re.sub(r"<(?=[a-z])", "&lt;", "\n".join(parts)) + "\n"


def _model(manifest: dict[str, Any], node: dict[str, Any]) -> str:
    made_from = ", ".join(f"`{_named(manifest, each)['name']}`" for each in node["depends_on"]["nodes"])
    how = node["config"]["materialized"]
    settings = node["config"]["meta"]
    if "partition_column" in settings:
        how = f"incremental; a changed row recomputes its `{settings['partition_column']}`"
    elif how == "incremental":
        how = f"incremental; a changed row recomputes its `{node['config']['unique_key']}`"
    lines = [f"\n### {node['name']}\n", node["description"].strip(), f"\n{how[0].upper()}{how[1:]}. Made from {made_from}.\n"]
    lines += ["| column | what |", "|---|---|"]
    lines += [f"| `{name}` | {column['description']} |" for name, column in node["columns"].items()]
    return "\n".join(lines)


def _tests(manifest: dict[str, Any], tag: str) -> list[dict[str, Any]]:
    found = [node for node in manifest["nodes"].values() if node["resource_type"] == "test" and tag in node["tags"]]
    return sorted(found, key=lambda node: node["name"])


def _tested(manifest: dict[str, Any], test: dict[str, Any]) -> str:
    return f"`{manifest['nodes'][test['attached_node']]['name']}`"


def _named(manifest: dict[str, Any], key: str) -> dict[str, Any]:
    return dict(manifest["nodes"].get(key) or manifest["sources"][key])


def _variables() -> Iterable[tuple[str, str, str]]:
    """(name, default, comment) of the variables; one comment may stand above several."""
    text = (ROOT / "transform" / "dbt_project.yml").read_text().partition("\nvars:\n")[2].partition("\nmodels:")[0]
    comment = ""
    for line in text.splitlines():
        if line.startswith("  #"):
            comment = line.strip(" #")
        elif match := re.fullmatch(r"  (\w+): (.*)", line):
            yield match[1], match[2].strip('"').replace("|", "\\|"), comment


def picture(manifest: dict[str, Any]) -> str:
    """docs/data-models.svg: a column of boxes per layer, a line from each model to what is made from it."""
    nodes = {
        key: node for key, node in {**manifest["sources"], **manifest["nodes"]}.items() if node["resource_type"] in {"source", "model"}
    }
    columns = [sorted((node["name"], key) for key, node in nodes.items() if layer_of(node) == layer) for layer in LAYERS]
    tallest = max(len(column) for column in columns)
    place: dict[str, tuple[int, int]] = {}
    for number, column in enumerate(columns):
        top = MARGIN + 24 + (tallest - len(column)) * (BOX_HEIGHT + GAP_Y) // 2
        for row, (_, key) in enumerate(column):
            place[key] = (MARGIN + number * (BOX_WIDTH + GAP_X), top + row * (BOX_HEIGHT + GAP_Y))
    width = 2 * MARGIN + len(LAYERS) * BOX_WIDTH + (len(LAYERS) - 1) * GAP_X
    height = 2 * MARGIN + 24 + tallest * (BOX_HEIGHT + GAP_Y)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">']
    out += [f'<rect width="{width}" height="{height}" fill="white"/>']
    for number, layer in enumerate(LAYERS):
        out.append(f'<text x="{MARGIN + number * (BOX_WIDTH + GAP_X)}" y="{MARGIN}" font-weight="bold">{layer}</text>')
    for key, node in sorted(nodes.items()):
        for parent in sorted(node.get("depends_on", {}).get("nodes", [])):
            (x1, y1), (x2, y2) = place[parent], place[key]
            x1, y1, y2 = x1 + BOX_WIDTH, y1 + BOX_HEIGHT // 2, y2 + BOX_HEIGHT // 2
            bend = max(40, (x2 - x1) // 2)
            out.append(f'<path d="M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}" fill="none" stroke="#94a3b8"/>')
    for key, (x, y) in sorted(place.items()):
        fill = COLOURS[layer_of(nodes[key])]
        out.append(f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="5" fill="{fill}" stroke="#475569"/>')
        out.append(f'<text x="{x + 10}" y="{y + 21}">{escape(nodes[key]["name"])}</text>')
    return "\n".join([*out, "</svg>", ""])


def main() -> int:
    """Write both files."""
    manifest = manifest_of_project()
    PAGE.write_text(page(manifest))
    PICTURE.write_text(picture(manifest))
    return 0


if __name__ == "__main__":
    sys.exit(main())
