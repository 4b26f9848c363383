"""The memory limits of the containers follow from measured peaks."""

from __future__ import annotations

import math

import pytest
import yaml

from .kustomizations import ROOT
from .test_manifests import COMPOSE, PLACES, SERVICES, container

PEAKS = yaml.safe_load((ROOT / "docs/memory_peaks.yaml").read_text())
MARGIN = 1.5
"""A limit is at least this many times the measured peak."""

UNITS = {"Mi": 1, "Gi": 1024, "M": 1, "G": 1024}
"""MiB by unit; Compose's M is a MiB."""


def mib(limit: str) -> int:
    number = limit.rstrip("MGi")
    return int(number) * UNITS[limit.removeprefix(number)]


def test_every_service_has_a_measured_peak() -> None:
    assert sorted(PEAKS) == sorted(SERVICES)
    assert all(peak["peak_mib"] > 0 and peak["work"] for peak in PEAKS.values())


@pytest.mark.parametrize("service", SERVICES)
def test_the_limits_leave_half_as_much_again_as_the_peak(service: str) -> None:
    needed = math.ceil(MARGIN * PEAKS[service]["peak_mib"])
    for place in PLACES:
        assert mib(container(place, service)["resources"]["limits"]["memory"]) >= needed
    assert mib(COMPOSE[service]["deploy"]["resources"]["limits"]["memory"]) >= needed
