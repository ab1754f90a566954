#!/usr/bin/env bash
# Writes the pins anew: Meltano's own venv from meltano.in, the plugins' venvs from the workspace's uv.lock.
set -euo pipefail
cd "$(dirname "$0")/.."
export UV_PYTHON_DOWNLOADS=never
.tools/bin/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate requirements/meltano.in -o requirements/meltano.txt "$@"
.tools/bin/uv export --quiet --locked --no-header --no-annotate --no-hashes --no-dev --no-emit-workspace \
  --package tap-oracle-wms --package target-oracle --package wms-ops -o requirements/plugins.txt
# dbt-core asks for a parser that is built by a download from elsewhere than the package registry, and runs without it: left out.
.tools/bin/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --override requirements/dbt-overrides.txt \
  requirements/dbt.in -o requirements/dbt.txt "$@"
