"""The HTTP server of the pages."""

from __future__ import annotations

from aiohttp import web

STOP_SECONDS = 3.0
"""Maximum time for open requests when the server stops; then they are cancelled, streams among them."""

KEEPALIVE_SECONDS = 75.0


class Listener:
    """Listens from `start` to `stop`. A request whose client leaves is cancelled."""

    def __init__(self, application: web.Application) -> None:
        self._runner = web.AppRunner(
            application,
            access_log=None,
            handler_cancellation=True,
            keepalive_timeout=KEEPALIVE_SECONDS,
            shutdown_timeout=STOP_SECONDS,
        )

    async def start(self, address: str) -> int:
        """Listen on `address`, "host:port", and return the port; raise OSError if that fails."""
        host, _, port = address.rpartition(":")
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host.strip("[]"), int(port)).start()
        except OSError as error:
            raise OSError(
                f"cannot listen on {address}; check that it is an address of this machine and that nothing else uses it"
            ) from error
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening, and end open requests."""
        await self._runner.cleanup()
