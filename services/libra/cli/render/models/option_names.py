"""The options of `libra models add` in place of the fields that services name."""

from __future__ import annotations

import re

OPTIONS = {
    "base_url": "--url",
    "remote_model": "--remote",
    "api_key_env": "--key-env",
    "api_key_file": "--key-file",
    "header_variables": "--header-env",
}
WORD = re.compile(rf"(?<![\w.])({'|'.join(OPTIONS)})\b")


def named_options(text: str) -> str:
    """Return a text of a service with the options in place of the fields."""
    return WORD.sub(lambda found: OPTIONS[found[1]], text)
