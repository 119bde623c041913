"""Runs the server under uvicorn until it is told to stop, then finishes what is in flight."""

import uvicorn

from server.app import create_app
from server.config import Settings
from server.runtime import calm_collector, open_runtime

SHUTDOWN_SECONDS = 10


async def serve(
    settings: Settings, host: str, port: int, parts: tuple[str, ...], *, follow_events: bool = False
) -> None:
    async with open_runtime(settings, parts=parts, follow_events=follow_events) as runtime:
        calm_collector()
        config = uvicorn.Config(
            create_app(runtime, parts),
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
