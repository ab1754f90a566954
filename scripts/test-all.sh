#!/usr/bin/env bash
# Everything a change must pass: lint, types, boundaries, tests. `--long` adds what takes longer (soaks, kill loops, millions of rows).
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/python-env.sh
selection="not long"
case "${1:-}" in
  "") ;;
  --long) selection="long or not long" ;;
  *) echo "usage: $0 [--long]" >&2; exit 2 ;;
esac
echo "== set-up";     ./setup.sh --quiet
echo "== lint";       ruff format --check .; ruff check .
echo "== types";      mypy
echo "== boundaries"; lint-imports
echo "== tests";      pytest -q -n 2 --dist loadfile -m "$selection"
