"""The error of a verification that fails."""

from __future__ import annotations

from libra.core.errors import Invalid


class Mismatch(Invalid):
    """The published data do not match the commitment, or the commitment does not match its signature."""
