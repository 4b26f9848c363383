from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.core.errors import Invalid
from libra.v1.ranking_pb2 import Capability, ImportCapabilitiesResponse, ListCapabilitiesResponse


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scores.csv"
    path.write_text("model,score,standard_error\none,1150,7\ntwo,1600,\n")
    return path


def test_scores_are_sent_with_their_scale_and_source(services: ScriptedServices, file: Path) -> None:
    note = "two: 1600 lies beyond 1500, which counts as 1: it is cut off there"
    services.replies["ImportCapabilities"] = ImportCapabilitiesResponse(capabilities=[Capability()] * 2, notes=[note])
    result = services.libra("capability", "import", file, "--scale", "elo:v2:800:1500")
    assert result.exit_code == 0, result.output
    assert "2 scores were imported" in result.stdout
    assert note in result.stderr
    [request] = services.requests
    scale: dict[str, Any] = {"scale": "elo:v2", "zero": 800, "one": 1500, "source": "scores.csv"}
    assert list(request.capabilities) == [
        Capability(model="one", published=1150, standard_error=7, **scale),
        Capability(model="two", published=1600, **scale),
    ]


@pytest.mark.parametrize("scale", ["elo", "elo:800", "elo:low:1500", "elo:1:1", ":0:1", "elo:0:inf"])
def test_an_invalid_scale_is_refused(services: ScriptedServices, file: Path, scale: str) -> None:
    result = services.libra("capability", "import", file, "--scale", scale)
    assert result.exit_code == 2
    assert "for instance elo:800:1500" in result.stderr
    assert services.requests == []


def test_an_error_names_the_file_and_the_line(services: ScriptedServices, file: Path) -> None:
    services.replies["ImportCapabilities"] = Invalid("it must be a finite number", field="capabilities[1].published")
    result = services.libra("capability", "import", file, "--scale", "elo:800:1500")
    assert result.exit_code == 2
    assert f"error: {file}, line 3: score: it must be a finite number" in result.stderr
    file.write_text("model,score\none,high\n")
    result = services.libra("capability", "import", file, "--scale", "elo:800:1500")
    assert result.exit_code == 2
    assert f"error: {file}, line 2: score must be a number, not 'high'" in result.stderr


def test_scores_are_listed_as_published_and_as_they_count(services: ScriptedServices) -> None:
    score = Capability(model="an-organisation-with-a-long-name-instruct-v2", published=1150, value=0.5)
    score.standard_error, score.scale, score.zero, score.one, score.source = 0.01, "elo", 800, 1500, "scores.csv"
    score.create_time.FromSeconds(0)
    services.replies["ListCapabilities"] = ListCapabilitiesResponse(capabilities=[score])
    shown = services.libra("capability", "list").stdout
    for text in ("1150", "50.0±1.0", "elo, 800 to", "1970-01-01"):
        assert text in shown
    assert longest_line(shown) <= 80
    [listed] = json.loads(services.libra("capability", "list", "--json").stdout)["capabilities"]
    assert listed["standard_error"] == 0.01
    services.replies["ListCapabilities"] = ListCapabilitiesResponse()
    assert "no score was imported" in services.libra("capability", "list").stdout
