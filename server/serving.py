"""Runs the server under uvicorn until it is told to stop, then finishes what is in flight."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from server.app import Showcase, create_app
from server.config import Settings
from server.runtime import Runtime, calm_collector, open_runtime

SHUTDOWN_SECONDS = 10


async def serve(
    settings: Settings, host: str, port: int, parts: tuple[str, ...], *, follow_events: bool = False
) -> None:
    async with open_runtime(settings, parts=parts, follow_events=follow_events) as runtime:
        await listen(runtime, host, port, parts)


async def listen(
    runtime: Runtime, host: str, port: int, parts: tuple[str, ...], showcase: Showcase | None = None
) -> None:
    """Serves an open runtime until the process is told to stop."""
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
    )
    await _Server(config).serve()


class _Server(uvicorn.Server):
    """Takes a signal as the wish to stop, and as nothing more.

    Uvicorn's own raises it again once it has stopped: SIGTERM would end the process and SIGINT cancel the
    loops, before they have finished what is in flight and let their shards go. A second signal still does.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for one in signals:
            loop.add_signal_handler(one, self.handle_exit, one, None)
        try:
            yield
        finally:
            for one in signals:
                loop.remove_signal_handler(one)
