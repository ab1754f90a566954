#!/usr/bin/env bash
# The whole pipeline against two invented databases, from nothing to a proof that they are equal. Needs Python 3.11 and git, no Oracle.
#   --orders N   size of the invented warehouse (default 1000)      --seconds S   of live activity (default 60)
#   --keep       leave everything running afterwards, to play with
set -euo pipefail
cd "$(dirname "$0")/.."
echo "Set-up"
./setup.sh --quiet
source scripts/python-env.sh
echo "Demo"
exec python -m demo tour "$@"
