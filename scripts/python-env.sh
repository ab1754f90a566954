#!/usr/bin/env bash
# Makes .venv, the workspace's own environment, from uv.lock with the machine's own Python; sourced by test-all.sh and demo.sh.
# sync_options: more options of `uv sync`.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
export PATH="$root/.venv/bin:$root/.tools/bin:$PATH"
# What is used compiles itself on first use; compiling everything would take longer.
(cd "$root" && UV_COMPILE_BYTECODE=0 uv sync --quiet --all-packages --locked --python "$python" ${sync_options:-})
