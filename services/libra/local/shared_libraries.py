"""Name the shared library of the system that a program lacks, and the one line that installs it."""

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
"""By the name of the library without its version. Debian 13 and Ubuntu 24.04 accept these names for their own packages."""


def remedy(text: str) -> str:
    """Return a sentence that names the missing library and its remedy; empty if `text` reports no missing library."""
    found = MISSING.search(text)
    if found is None:
        return ""
    if found["mac"]:
        return f"The library {found['mac']} of macOS is missing: update macOS. "
    library = found["program"] or found["module"]
    package = DEBIAN_PACKAGES.get(library.partition(".so")[0] + ".so")
    if package is None:
        return f"The system's library {library} is missing: install the package of your system that has it. "
    return (
        f"The system's library {library} is missing; on Debian and Ubuntu: `sudo apt-get install {package}`, elsewhere the "
        f"package of your system that has it. "
    )
