#!/bin/sh
# Makes or completes the virtual environment: venv.sh PYTHON VENV demo|dev|bench
# Called by make. Needs a Python 3.11-3.13 with venv; on Debian and Ubuntu it installs what their split packages leave
# out (python3-venv, libpython for Triton's backend) when it runs as root, and says what to run otherwise.
set -eu
python=$1 venv=$2 kind=$3

fail() {
    echo "set-up: $1" >&2
    exit 1
}

[ -n "$python" ] || fail "no Python found: install Python 3.11, 3.12 or 3.13, or name one with make PYTHON=/path/to/python"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || fail "$python does not run"
case $version in
    3.11 | 3.12 | 3.13) ;;
    *) fail "$python is Python $version; Sekisho needs 3.11, 3.12 or 3.13 (Triton's Python stubs end there). Name one with make PYTHON=..." ;;
esac

# Debian packages that are missing, in one list.
missing=""
"$python" -c 'import ensurepip' 2>/dev/null || missing="python$version-venv"
if [ "$version" != 3.13 ]; then
    "$python" - <<'PY' || missing="$missing libpython$version"
import ctypes, os, sys, sysconfig
name = "libpython%d.%d.so.1.0" % sys.version_info[:2]
places = [sysconfig.get_config_var("LIBDIR") or "", os.path.join(sys.base_prefix, "lib"), ""]
for place in places:
    try:
        ctypes.CDLL(os.path.join(place, name))
    except OSError:
        continue
    sys.exit(0)
sys.exit(1)
PY
fi
missing=$(echo $missing)
if [ -n "$missing" ]; then
    command -v apt-get >/dev/null 2>&1 || fail "this Python lacks: $missing. Install a Python with ensurepip and a shared libpython."
    if [ "$(id -u)" = 0 ]; then
        echo "set-up: installing $missing" >&2
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
    else
        fail "missing Debian packages. Run: sudo apt-get install $missing"
    fi
fi

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip="$venv/bin/python -m pip --disable-pip-version-check"
echo "set-up: installing Sekisho into $venv ($kind); the first time takes a minute or more" >&2
case $kind in
    demo) $pip install -q -c constraints.txt -e '.[embedded]' ;;
    dev) $pip install -q -c constraints.txt -e '.[embedded,train,dev]' ;;
    bench) $pip install -q -c constraints.txt -e '.[embedded,train,dev,bench]' ;;
    *) fail "unknown kind $kind" ;;
esac
# Only the tritonserver binary of this wheel is used; its own requirements (an old numpy) are not wanted.
$pip install -q --no-deps -c constraints.txt nvidia-pytriton
