"""The hierarchy of errors is drawn completely in `libra.core.errors`."""

from __future__ import annotations

import importlib
import pkgutil
import re

import libra
from libra.core import errors


def all_subclasses(cls: type) -> set[type]:
    direct: list[type] = cls.__subclasses__()
    return set(direct).union(*(all_subclasses(each) for each in direct))


def test_every_expected_error_is_drawn() -> None:
    for module in pkgutil.walk_packages(libra.__path__, "libra."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    drawn = set(re.findall(r"[├└]── (\w+)(?= {2,})", errors.__doc__ or ""))
    found = {cls.__name__ for cls in all_subclasses(errors.LibraError) if cls.__module__.startswith("libra.")}
    assert drawn - {"of"} == found
