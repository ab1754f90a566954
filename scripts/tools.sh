# Sourced by setup.sh and python-env.sh: finds Python 3.11 or newer (as $python) and puts uv into .tools. Nothing else is fetched.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3.11}
command -v "$python" >/dev/null || python=python3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Python 3.11 or newer is needed; '$python' is older or missing. Set PYTHON=/path/to/python3.11." >&2
  exit 1
}
[ -x "$root/.tools/bin/uv" ] || {
  "$python" -m venv "$root/.tools"
  "$root/.tools/bin/pip" install -qq --disable-pip-version-check "uv==0.13.9"
}
export UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1
unset PYTHONDONTWRITEBYTECODE
