"""Builds pandas DataFrames of results."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

from libra.core.errors import ExtraNotInstalled


def to_frame(rows: Iterable[Mapping[str, Any]]) -> Any:
    """Return a pandas DataFrame of the rows. Raises ExtraNotInstalled without the extra `pandas`."""
    try:
        pandas = importlib.import_module("pandas")
    except ModuleNotFoundError as error:
        raise ExtraNotInstalled("DataFrames need pandas: pip install 'libra[pandas]'") from error
    return pandas.DataFrame.from_records(list(rows))
