#!/bin/sh
# Prepare this machine for Libra: `deploy/setup.sh [FOLDER]`.
#
# Libra needs Python 3.11 to 3.13 with its venv module, make, git in a clone, and on Linux two shared libraries: mongod loads
# libcurl, and xllamacpp, which serves the demo's model, loads libgomp. As root on Debian or Ubuntu, this script installs
# what is missing. Elsewhere it prints the one line that installs it, and stops.
#
# With FOLDER it also makes a virtual environment there, with the newest Python that fits or with the one that PYTHON names.
# An environment that fits already is kept.
set -eu
cd "$(dirname "$0")/.."

NEWEST_FIRST="3.13 3.12 3.11"
FOLDER=${1:-}
LOG=.make/setup.log

stop() {
    echo "setup: $*" >&2
    exit 1
}

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

has_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

has_library() {
    "$1" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$2" 2>/dev/null
}

version() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'
}

# Print the Python to use; print nothing if there is none. One without its venv module is taken only if no other fits.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || stop "PYTHON=$PYTHON is not Python 3.11 to 3.13"
        echo "$PYTHON"
        return
    fi
    for check in has_venv fits; do
        for name in "${FOLDER:-.venv}/bin/python" python3.13 python3.12 python3.11 python3; do
            if fits "$name" && "$check" "$name"; then
                echo "$name"
                return
            fi
        done
    done
}

# Print the newest Python among the packages of Debian or Ubuntu, without the word "python"; nothing if none fits. Where
# apt-get has no list of packages yet, print that of the system, 3.
packaged_version() {
    for each in $NEWEST_FIRST; do
        if apt-cache show "python$each" >/dev/null 2>&1; then
            echo "$each"
            return
        fi
    done
    apt-cache show python3 >/dev/null 2>&1 || echo 3
}

# Print what is missing, in words that stand for packages: make git python venv libcurl4 libgomp1.
missing() {
    command -v make >/dev/null || echo make
    [ ! -e .git ] || command -v git >/dev/null || echo git
    if [ -z "$python" ]; then
        echo python
    elif ! has_venv "$python"; then
        echo venv
    fi
    [ "$(uname -s)" = Linux ] || return 0
    # Without a Python to try them with, the libraries count as missing: to install them again does no harm.
    [ -n "$python" ] && has_library "$python" libcurl.so.4 || echo libcurl4
    [ -n "$python" ] && has_library "$python" libgomp.so.1 || echo libgomp1
}

# Print the Debian packages for the words on the input.
debian_packages() {
    while read -r word; do
        case $word in
        python)
            newest=$(packaged_version)
            [ -n "$newest" ] || stop "apt-get knows no package of Python 3.11 to 3.13: install one, and name it with PYTHON=..."
            echo "python$newest"
            echo "python$newest-venv"
            ;;
        venv) echo "python$(version "$python")-venv" ;;
        *) echo "$word" ;;
        esac
    done
}

in_one_line() {
    tr '\n' ' ' | sed 's/ $//'
}

install_with_apt() {
    mkdir -p .make
    apt-get update >"$LOG" 2>&1 || stop "apt-get update failed: see $LOG"
    packages=$(echo "$1" | debian_packages | in_one_line)
    [ -n "$packages" ] || exit 1
    echo "setup: installs $packages with apt-get" >&2
    # shellcheck disable=SC2086 # one word a package
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $packages >>"$LOG" 2>&1 ||
        stop "apt-get install $packages failed: see $LOG"
}

# Print the one line that installs the words on this system.
remedy() {
    if command -v apt-get >/dev/null; then
        packages=$(echo "$1" | debian_packages | in_one_line)
        [ -n "$packages" ] || exit 1
        echo "sudo apt-get update && sudo apt-get install --yes $packages"
    elif [ "$(uname -s)" = Darwin ]; then
        echo "$1" | grep -v -e make -e git >/dev/null && echo "brew install python@3.13" || echo "xcode-select --install"
    elif command -v dnf >/dev/null; then
        echo "sudo dnf install make git python3.13 libcurl libgomp"
    else
        echo "install them with the packages of this system; venv, libcurl.so.4 and libgomp.so.1 may have packages of their own"
    fi
}

python=$(find_python)
lacks=$(missing)
if [ -n "$lacks" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        install_with_apt "$lacks"
        python=$(find_python)
        lacks=$(missing)
        [ -z "$lacks" ] || stop "after the installation this machine still lacks $(echo "$lacks" | in_one_line)"
    else
        line=$(remedy "$lacks")
        stop "this machine lacks $(echo "$lacks" | in_one_line). This line installs it: $line"
    fi
fi

if [ -n "$FOLDER" ]; then
    kept="$FOLDER/bin/python"
    if ! fits "$kept" || [ "$(version "$kept")" != "$(version "$python")" ]; then
        echo "setup: makes $FOLDER with Python $(version "$python")" >&2
        "$python" -m venv --clear "$FOLDER"
    fi
fi
