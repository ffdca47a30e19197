#!/bin/sh
# Makes .venv: exactly what requirements/dev.lock names, hashes checked, and this project in editable form.
# Needs Python 3.11 or newer with its venv module; as root on a Debian-like system a missing venv module is installed.
set -eu
cd "$(dirname "$0")/../.."
venv=.venv
lock=requirements/dev.lock
log=$(mktemp)
trap 'rm -f "$log"' EXIT

say() { printf '· %s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}
quietly() { "$@" >"$log" 2>&1 || { cat "$log" >&2; return 1; }; }

python=
for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && python=$candidate && break
done
[ -n "$python" ] || fail "Python 3.11 or newer is needed. Install it, or name it: PYTHON=/path/to/python3 make"

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing $version-venv"
        export DEBIAN_FRONTEND=noninteractive
        quietly apt-get update -q
        quietly apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$version-venv"
    else
        fail "Python's venv module is missing. Install it:  sudo apt-get install -y $version-venv"
    fi
fi

if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "creating $venv"
    "$python" -m venv --clear "$venv"
fi

# pip may know a mirror that uv does not look for.
mirror=$("$venv/bin/pip" config get global.index-url 2>/dev/null || true)
mirror=${PIP_INDEX_URL:-$mirror}
[ -z "$mirror" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$mirror}"

pip_install() { quietly "$venv/bin/pip" install --quiet --disable-pip-version-check --no-input "$@"; }

if ! "$venv/bin/uv" --version >/dev/null 2>&1; then
    say "installing uv"
    awk '/^uv==/ { inside = 1 } inside { print } inside && !/\\$/ { exit }' "$lock" >"$venv/uv.lock"
    pip_install --require-hashes --requirement "$venv/uv.lock"
fi

say "installing $(grep -c '^[a-z]' "$lock") packages"
export VIRTUAL_ENV="$PWD/$venv"
if ! quietly "$venv/bin/uv" pip install --quiet --require-hashes --requirement "$lock"; then
    say "uv could not; trying pip, which takes longer"
    pip_install --require-hashes --requirement "$lock"
fi
quietly "$venv/bin/uv" pip install --quiet --no-deps --no-build-isolation --editable . ||
    pip_install --no-deps --no-build-isolation --editable .
touch "$venv/.ready"
