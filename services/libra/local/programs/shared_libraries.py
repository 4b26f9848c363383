"""Explains a loader's error about a missing shared library and names the package that has it."""

from __future__ import annotations

import re

MISSING = re.compile(
    r"error while loading shared libraries: (?P<program>\S+?): "  # the loader of Linux, for a program
    r"|(?P<module>\S+?): cannot open shared object file"  # the same, for a module that Python imports
    r"|Library not loaded: (?P<mac>\S+)"  # the loader of macOS
)

DEBIAN_PACKAGES = {
    "libcurl.so": "libcurl4",
    "libgomp.so": "libgomp1",
    "libssl.so": "libssl3",
    "libcrypto.so": "libssl3",
    "liblzma.so": "liblzma5",
}
"""Debian packages by the library's name without its version; Debian 13 and Ubuntu 24.04 accept these names too."""


def find_remedy(text: str) -> str:
    """Return a sentence with the missing library and how to install it; empty if `text` reports none."""
    match = MISSING.search(text)
    if match is None:
        return ""
    if match["mac"]:
        return f"The library {match['mac']} of macOS is missing: update macOS. "
    library = match["program"] or match["module"]
    package = DEBIAN_PACKAGES.get(library.partition(".so")[0] + ".so")
    if package is None:
        return f"The system library {library} is missing: install the package of your system that contains it. "
    return (
        f"The system library {library} is missing: on Debian and Ubuntu run `sudo apt-get install {package}`, on other "
        f"systems install the package that contains it. "
    )
