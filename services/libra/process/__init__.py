"""The life that every service shares: load, start, connect, work, drain, stop.

It reads the settings, and asks NATS and MongoDB whether they are there. It writes readiness: as health, as a metric, in the log.
"""

from __future__ import annotations

from libra.process.backlog_metrics import watch_backlog
from libra.process.context import ServiceContext, Wire, Wiring, Worker
from libra.process.serve import serve

__all__ = ["ServiceContext", "Wire", "Wiring", "Worker", "serve", "watch_backlog"]
