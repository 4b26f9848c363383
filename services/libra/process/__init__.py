"""The life cycle of every service process: load settings, start, connect, work, drain, stop.

It reads settings from the environment and pings NATS and MongoDB. It reports readiness as health, as a metric and in
the log.
"""

from __future__ import annotations

from libra.process.backlog_metrics import watch_backlog
from libra.process.context import ServiceContext, Wire, Wiring, Worker
from libra.process.serve import serve

__all__ = ["ServiceContext", "Wire", "Wiring", "Worker", "serve", "watch_backlog"]
