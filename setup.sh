#!/usr/bin/env bash
# Makes everything the pipeline needs, as an ordinary user: Meltano and its plugins in their own venvs, .env, directories. Safe to repeat.
set -euo pipefail
cd "$(dirname "$0")"
quiet=
case "${1:-}" in
  "") ;;
  --quiet) quiet=yes ;; # no word about what to do next
  *) echo "usage: $0 [--quiet]" >&2; exit 2 ;;
esac
umask 077
step() { printf '  -- %-72s' "$1"; started=$SECONDS; }
done_() { printf '%4s   s\n' $((SECONDS - started)); }

step "uv, the package installer"
source scripts/tools.sh
done_

step "Meltano"
[ -x .tools/meltano/bin/python ] || .tools/bin/uv venv --quiet --python "$python" .tools/meltano
.tools/bin/uv pip sync --quiet --python .tools/meltano/bin/python requirements/meltano.txt
done_

step "dbt"
[ -x .tools/dbt/bin/python ] || .tools/bin/uv venv --quiet --python "$python" .tools/dbt
.tools/bin/uv pip sync --quiet --python .tools/dbt/bin/python requirements/dbt.txt
done_

step "directories and .env"
mkdir -p .meltano/run logs/meltano logs/monitoring logs/dbt logs/tap-oracle-wms var
chmod 700 .meltano .meltano/run
if [ -f .env ]; then note="kept as it is"; else cp .env.example .env; chmod 600 .env; note="made from .env.example: fill in hosts, users and passwords"; fi
done_

step "tap-oracle-wms, target-oracle, wms-ops"
install_log=logs/meltano/install.log
bin/meltano install >"$install_log" 2>&1 || { echo; tail -n 20 "$install_log" >&2; echo "Installing failed; the whole log is $install_log." >&2; exit 1; }
# A new version of the tap may describe the source otherwise than the catalog that was cached for the old one.
find .meltano/run -name tap.properties.cache_key -delete
done_

[ -n "$quiet" ] && exit 0
cat <<END

.env was $note.
Next:
  export PATH="$PWD/bin:\$PATH"
  ./scripts/test-connections.sh            # source and target: reachable, readable, writable
  meltano run allocation_full_sync         # once per entity: also order_hdr_full_sync, order_dtl_full_sync
  meltano invoke dbt-oracle-wms:build      # once, and after each change of a model: views, marts and their tests
  meltano invoke wms-ops scheduler         # then every minute, until it is told to stop
END
