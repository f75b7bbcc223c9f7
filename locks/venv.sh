#!/bin/sh
# Builds a virtual environment from a hashed lock: sh locks/venv.sh .venv locks/dev.txt
# PYTHON names the interpreter; without it the first one that is new enough is taken.
set -eu
venv=$1 lock=$2

stop() {
    echo "heed: $1" >&2
    exit 1
}

# Prints the interpreter's own path (not a shim's) if it is new enough.
new_enough() {
    "$1" -c 'import sys; sys.exit("old") if sys.version_info < (3, 11) else print(sys.executable)' 2>/dev/null
}

can_make_venvs() {
    "$python" -c 'import venv; from ensurepip import version' 2>/dev/null
}

if [ -n "${PYTHON:-}" ]; then
    python=$(new_enough "$PYTHON") || stop "PYTHON=$PYTHON does not run, or is older than 3.11."
else
    python=
    for name in python3 python3.13 python3.12 python3.11; do
        python=$(new_enough "$name") && break
    done
    [ -n "$python" ] || stop "Python 3.11 or newer is needed and none was found; install one, or name it: make PYTHON=/path/to/python"
fi

# Debian and Ubuntu ship the venv module in a package of its own.
if ! can_make_venvs; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    command -v apt-get >/dev/null || stop "$python has no working venv module; install it, or name another Python: make PYTHON=/path/to/python"
    [ "$(id -u)" = 0 ] || stop "$python has no working venv module; type: sudo apt-get install $package"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package"
    can_make_venvs || stop "$python still has no working venv module after installing $package."
fi

echo "Building $venv with $python (once; again when $lock changes)"
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
