#!/usr/bin/env bash
# Makes .venv, the workspace's own environment, from uv.lock with the machine's own Python; sourced by test-all.sh and demo.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
export PATH="$root/.venv/bin:$root/.tools/bin:$PATH"
(cd "$root" && uv sync --quiet --all-packages --locked --python "$python")
