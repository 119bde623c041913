"""Runs the server under uvicorn until it is told to stop, then finishes what is in flight."""

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
    await uvicorn.Server(config).serve()
