#!/bin/sh
# Write the software bill of materials of the images: `make sbom`. All images contain the same Python packages: those of
# deploy/locks/run.txt, with the hashes that their installation checks. Debian's packages come with the base image.
set -eu
cd "$(dirname "$0")/.."

BIN=${BIN:-.venv/bin}
OUTPUT=.make/sbom.json
TOOL=cyclonedx-bom==7.5.0

mkdir -p .make
"$BIN/uv" tool run --quiet --from "$TOOL" cyclonedx-py requirements --pyproject pyproject.toml --mc-type application \
    --output-reproducible --spec-version 1.6 --output-format JSON --output-file "$OUTPUT" deploy/locks/run.txt
"$BIN/python" -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["components"]), "packages in", sys.argv[1])' "$OUTPUT"
