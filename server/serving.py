"""Runs the server under uvicorn until it is told to stop, then finishes what is in flight."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog
import uvicorn

from server.app import Showcase, create_app
from server.config import Settings
from server.runtime import Runtime, calm_collector, open_runtime

SHUTDOWN_SECONDS = 10
LARGEST_MESSAGE = 64 * 1024
"""Bytes over a WebSocket, where people without a key may speak: a subscription and a token are far less."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
log = structlog.get_logger("serving")


class _Server(uvicorn.Server):
    """Uvicorn's, but that a signal only asks it to stop: what stands around it closes in order afterwards."""

    def __init__(self, config: uvicorn.Config, leaving: asyncio.Event) -> None:
        super().__init__(config)
        self._leaving = leaving

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Answers that go on end now: uvicorn would wait for them as long as it waits for anything.
        self._leaving.set()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Uvicorn's own way raises the signal again once it has stopped, which would end the process
        # before sends in flight are finished and leases let go.
        loop = asyncio.get_running_loop()
        for one in _SIGNALS:
            loop.add_signal_handler(one, self.handle_exit, one, None)
        try:
            yield
        finally:
            for one in _SIGNALS:
                loop.remove_signal_handler(one)


async def serve(
    settings: Settings, host: str, port: int, parts: tuple[str, ...], *, follow_events: bool = False
) -> None:
    """Returns after SIGTERM or SIGINT, when everything is closed."""
    async with open_runtime(settings, parts=parts, follow_events=follow_events) as runtime:
        await listen(runtime, host, port, parts)


async def listen(
    runtime: Runtime, host: str, port: int, parts: tuple[str, ...], showcase: Showcase | None = None
) -> None:
    """Answers requests over an open runtime until SIGTERM or SIGINT."""
    calm_collector()
    config = uvicorn.Config(
        create_app(runtime, parts, showcase),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        h11_max_incomplete_event_size=64 * 1024,
        ws_max_size=LARGEST_MESSAGE,
    )
    log.info("serving", address=f"http://{host}:{port}", parts=",".join(parts))
    await _Server(config, runtime.leaving).serve()
    log.info("stopping")
