#!/usr/bin/env bash
# One line per database: can a sync run? Below it, for what fails, each check with its remedy. Exit code 0 only if all can.
set -uo pipefail
cd "$(dirname "$0")/.."
[ -x .tools/meltano/bin/meltano ] || { echo "Run ./setup.sh first." >&2; exit 2; }
failed=0
check() { # check NAME REMEDY COMMAND...
  local name=$1 remedy=$2 output
  shift 2
  if output=$("$@" 2>&1); then
    echo "ok      $name"
    grep -E '^warning ' <<<"$output" | sed 's/^/        /'
  else
    echo "FAILED  $name: $remedy"
    grep -E '^(ok|warning|failed) |ORA-|DPY-|setting ' <<<"$output" | sed -E 's/^.*\[(error|info) *\] [^ ]+ +//; s/^/        /' | sort -u
    failed=1
  fi
}
check "source (tap-oracle-wms)" "see WMS_ORACLE_* in .env" bin/meltano --log-level warning invoke tap-oracle-wms --test-connection
check "target (target-oracle)" "see TARGET_ORACLE_* in .env" bin/meltano --log-level warning invoke target-oracle --test-connection
check "transformations (dbt)" "see TARGET_ORACLE_* and DBT_* in .env" bin/dbt --quiet debug --connection
exit $failed
