"""Renders the kustomizations of `k8s/` as kubectl does."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
COMPONENTS = tuple(sorted(path.name for path in (ROOT / "k8s/components").iterdir()))

Objects = tuple[dict[str, Any], ...]


@cache
def render(place: str) -> Objects:
    """Return the objects of the kustomization in this folder of `k8s/`."""
    return _build(ROOT / "k8s" / place)


@cache
def render_component(name: str) -> Objects:
    """Return the objects of the base with this component alone."""
    with tempfile.TemporaryDirectory() as folder:
        base, component = (os.path.relpath(ROOT / "k8s" / place, folder) for place in ("base", f"components/{name}"))
        text = yaml.safe_dump({"resources": [base], "components": [component], "namespace": "libra"})
        (Path(folder) / "kustomization.yaml").write_text(text)
        return _build(Path(folder))


def select(objects: Objects, kind: str) -> dict[str, dict[str, Any]]:
    """Return the objects of a kind by their names."""
    return {one["metadata"]["name"]: one for one in objects if one["kind"] == kind}


def _build(folder: Path) -> Objects:
    kubectl = Path(sysconfig.get_path("scripts")) / "kubectl"
    command = [str(kubectl), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return tuple(one for one in yaml.safe_load_all(done.stdout) if one)
