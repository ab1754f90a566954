#!/usr/bin/env bash
# The whole pipeline against two invented databases, from nothing to a proof that they are equal. Needs Python 3.11 and git, no Oracle.
#   --orders N   size of the invented warehouse (default 1000)      --seconds S   of live activity (default 60)
#   --keep       leave everything running afterwards, to play with      --spoil       change one digit in the copy, to see it found
set -euo pipefail
cd "$(dirname "$0")/.."
echo "Set-up"
./setup.sh --quiet
printf '  -- %-72s' "the invented databases and the warehouse"; SECONDS=0
sync_options="--no-dev --inexact" # no linters, no test tools; and none removed where they are
source scripts/python-env.sh
printf '%4s   s\n' "$SECONDS"
echo "Demo"
exec python -m demo tour "$@"
