#!/bin/sh
# Write the lock files in deploy/locks from pyproject.toml; with --check, verify them instead.
#
# Each file is valid for Python 3.11 to 3.13 on Linux (x86_64 and Arm, glibc 2.36 or newer) and on macOS 13 or newer on Arm.
# Each entry has a version, the platforms that need it, and the hashes of all its files. A locked version does not change until
# it is deleted from its file. The check compares names and versions with pyproject.toml, and resolves each file for each
# platform and Python using only wheels; it takes 5 to 15 seconds. Without a package index it prints a message and passes.
set -eu
cd "$(dirname "$0")/.."

BIN=${BIN:-.venv/bin}
LOCKS=deploy/locks
OUTPUT=.make/locks
PLATFORMS="x86_64-manylinux_2_36 aarch64-manylinux_2_36 aarch64-apple-darwin"
PYTHONS="3.11 3.12 3.13"

# Write $1/$2.txt from the sources that the other arguments name. Versions that the file already has do not change.
compile() {
    folder=$1 name=$2
    shift 2
    "$BIN/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --output-file "$folder/$name.txt" "$@"
}

compile_all() {
    compile "$1" run pyproject.toml --extra bedrock --extra vertex
    compile "$1" dev pyproject.toml --extra local --extra smollm --extra huggingface --extra parquet --extra pandas --extra bedrock --extra vertex --extra dev
    compile "$1" protoc --group protoc
    compile "$1" build --group build
    compile "$1" smollm --group smollm --no-deps
}

versions() {
    grep -h '==' "$1" | sed 's/ *\\$//'
}

resolve() {
    "$BIN/uv" pip install --quiet --dry-run --no-deps --only-binary :all: --require-hashes --python "$BIN/python" \
        --target "$OUTPUT/none" --python-platform "$1" --python-version "$2" -r "$3"
}

check() {
    if grep -nE '://|--(extra-)?index-url|--find-links' $LOCKS/*.txt; then
        echo "locks: a lock file contains an address; it must work with any package index" >&2
        return 1
    fi
    rm -rf "$OUTPUT"
    mkdir -p "$OUTPUT"
    cp $LOCKS/*.txt "$OUTPUT"
    if ! compile_all "$OUTPUT" 2>"$OUTPUT/errors"; then
        if grep -q 'error sending request' "$OUTPUT/errors"; then
            echo "locks: the package index is unavailable; the lock files were not checked against it" >&2
            return 0
        fi
        cat "$OUTPUT/errors" >&2
        return 1
    fi
    for file in "$LOCKS"/*.txt; do
        versions "$file" >"$OUTPUT/old"
        versions "$OUTPUT/$(basename "$file")" >"$OUTPUT/new"
        diff "$OUTPUT/old" "$OUTPUT/new" || {
            echo "locks: $file does not match pyproject.toml: run \`make lock\`" >&2
            return 1
        }
        for platform in $PLATFORMS; do
            for version in $PYTHONS; do
                resolve "$platform" "$version" "$file" || {
                    echo "locks: $file cannot be installed on $platform with Python $version" >&2
                    return 1
                }
            done
        done
    done
}

if [ "${1:-}" = --check ]; then
    check
else
    compile_all "$LOCKS"
fi
