#!/bin/sh
# Render the base, every overlay, and the base with every component alone; check each strictly, without a cluster.
#
# Objects of other projects, as KEDA's, have no schema here: tests/unit/deploy checks them.
set -eu
cd "$(dirname "$0")/.."

BIN=${BIN:-.venv/bin}
FOLDER=.make/manifests
CUSTOM='\(cert-manager.io\|keda.sh\|monitoring.coreos.com\)/'

render() {
    "$BIN/kubectl" kustomize "$1" >"$FOLDER/$2.yaml"
}

mkdir -p "$FOLDER"
rm -f "$FOLDER"/*.yaml
for place in k8s/base k8s/overlays/*; do
    render "$place" "$(basename "$place")"
done
for component in k8s/components/*; do
    name=component-$(basename "$component")
    mkdir -p "$FOLDER/$name"
    cat >"$FOLDER/$name/kustomization.yaml" <<END
namespace: libra
resources: [../../../k8s/base]
components: [../../../$component]
END
    render "$FOLDER/$name" "$name"
done
"$BIN/kubernetes-validate" --quiet --strict "$FOLDER"/*.yaml >"$FOLDER/log" 2>&1 || { cat "$FOLDER/log" >&2 && exit 1; }
if grep -v "find schema for kind .* with api version $CUSTOM" "$FOLDER/log" >&2; then
    echo "manifests: these objects have no schema" >&2
    exit 1
fi
