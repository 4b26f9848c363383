#!/bin/sh
# Prepare this machine for Libra: `deploy/setup.sh [--browser] [--monitoring] [FOLDER]`.
#
# Libra needs Python 3.11 to 3.13 with its venv module, make, git (in a clone) and, on Linux, two shared libraries: libcurl for
# mongod, and libgomp for xllamacpp, which serves the demo's model. As root on Debian or Ubuntu, the script installs what is
# missing. Otherwise it prints the command that installs it, and stops.
#
# With FOLDER, the script also creates a virtual environment there, with the newest supported Python or with the one that PYTHON
# names. It keeps an environment that has this Python already. With --browser, it also installs Chromium, in which the tests
# open the pages; with --monitoring, Prometheus and Alertmanager, in which the tests evaluate the alerts and the dashboards.
set -eu
cd "$(dirname "$0")/.."

NEWEST_FIRST="3.13 3.12 3.11"
WITH_BROWSER=
WITH_MONITORING=
while :; do
    case ${1:-} in
    --browser) WITH_BROWSER=yes ;;
    --monitoring) WITH_MONITORING=yes ;;
    *) break ;;
    esac
    shift
done
FOLDER=${1:-}
LOG=.make/setup.log

stop() {
    echo "setup: $*" >&2
    exit 1
}

is_supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

has_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

has_library() {
    "$1" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$2" 2>/dev/null
}

has_browser() {
    command -v chromium || command -v chromium-browser || command -v google-chrome
}

has_prometheus() {
    command -v prometheus && command -v promtool
}

has_alertmanager() {
    command -v prometheus-alertmanager || command -v alertmanager
}

version() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'
}

# Print the Python to use; print nothing if there is none. A Python without its venv module is used only if there is no other.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_supported "$PYTHON" || stop "PYTHON=$PYTHON is not Python 3.11 to 3.13"
        echo "$PYTHON"
        return
    fi
    for check in has_venv is_supported; do
        for name in "${FOLDER:-.venv}/bin/python" python3.13 python3.12 python3.11 python3; do
            if is_supported "$name" && "$check" "$name"; then
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

# Print what is missing, one word a line: make git python venv chromium prometheus prometheus-alertmanager libcurl4 libgomp1.
missing() {
    command -v make >/dev/null || echo make
    [ ! -e .git ] || command -v git >/dev/null || echo git
    if [ -z "$python" ]; then
        echo python
    elif ! has_venv "$python"; then
        echo venv
    fi
    [ -z "$WITH_BROWSER" ] || has_browser >/dev/null || echo chromium
    [ -z "$WITH_MONITORING" ] || has_prometheus >/dev/null || echo prometheus
    [ -z "$WITH_MONITORING" ] || has_alertmanager >/dev/null || echo prometheus-alertmanager
    [ "$(uname -s)" = Linux ] || return 0
    # Without a Python the libraries cannot be tested; they count as missing, because it is safe to install them again.
    [ -n "$python" ] && has_library "$python" libcurl.so.4 || echo libcurl4
    [ -n "$python" ] && has_library "$python" libgomp.so.1 || echo libgomp1
}

# Read such words from standard input and print their Debian packages.
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

join_lines() {
    tr '\n' ' ' | sed 's/ $//'
}

install_with_apt() {
    mkdir -p .make
    apt-get update >"$LOG" 2>&1 || stop "apt-get update failed: see $LOG"
    packages=$(echo "$1" | debian_packages | join_lines)
    [ -n "$packages" ] || exit 1
    echo "setup: installing $packages with apt-get" >&2
    # shellcheck disable=SC2086 # one word a package
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $packages >>"$LOG" 2>&1 ||
        stop "apt-get install $packages failed: see $LOG"
}

# Print the command that installs on this system what the words name; fail if this script does not know its package manager.
remedy() {
    if command -v apt-get >/dev/null; then
        packages=$(echo "$1" | debian_packages | join_lines)
        [ -n "$packages" ] || exit 1
        echo "sudo apt-get update && sudo apt-get install --yes $packages"
    elif [ "$(uname -s)" = Darwin ]; then
        case $1 in
        chromium*) echo "brew install --cask chromium${WITH_MONITORING:+ && brew install prometheus alertmanager}" && return ;;
        prometheus*) echo "brew install prometheus alertmanager" && return ;;
        esac
        echo "$1" | grep -v -e make -e git >/dev/null && echo "brew install python@3.13" || echo "xcode-select --install"
    elif command -v dnf >/dev/null; then
        monitoring="golang-github-prometheus golang-github-prometheus-alertmanager"
        echo "sudo dnf install make git python3.13 libcurl libgomp${WITH_BROWSER:+ chromium}${WITH_MONITORING:+ $monitoring}"
    else
        return 1
    fi
}

python=$(find_python)
lacks=$(missing)
if [ -n "$lacks" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        install_with_apt "$lacks"
        python=$(find_python)
        lacks=$(missing)
        [ -z "$lacks" ] || stop "the installation succeeded, but these are still missing: $(echo "$lacks" | join_lines)"
    else
        words=$(echo "$lacks" | join_lines)
        line=$(remedy "$lacks") || stop "this machine lacks $words. Install these with its package manager; the venv module of \
Python, libcurl.so.4 and libgomp.so.1 may be in packages of their own. Then run this again"
        stop "this machine lacks $words. This line installs it: $line"
    fi
fi

if [ -n "$FOLDER" ]; then
    existing="$FOLDER/bin/python"
    if ! is_supported "$existing" || [ "$(version "$existing")" != "$(version "$python")" ]; then
        echo "setup: creating $FOLDER with Python $(version "$python")" >&2
        "$python" -m venv --clear "$FOLDER"
    fi
fi
