"""Programs that some tests need and not every machine has."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
import uvicorn
from starlette.types import ASGIApp

from tests.waiting import PATIENCE, until

NODE = Path(__file__).parent / "node"


def missing(reason: str) -> NoReturn:
    """Skips the test; fails it instead where everything must be there (`SOJOURN_TEST_ALL=1`, as in CI)."""
    if os.environ.get("SOJOURN_TEST_ALL") == "1":
        pytest.fail(f"{reason}, and SOJOURN_TEST_ALL=1 demands it", pytrace=False)
    pytest.skip(reason)


def require_tool(*names: str) -> str:
    """The path of the first of these programs that is installed; skips the test when none is."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    return found or missing(f"needs {' or '.join(names)}")


async def run(*command: str, cwd: Path = NODE, timeout: float = 3 * PATIENCE) -> str:
    """What the program printed; raises `AssertionError` with what it complained about when it fails."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(timeout):
            out, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, f"{command[0]} ended with {process.returncode}: {complaints.decode()}"
    return out.decode()


async def require_node_packages() -> str:
    """The path of Node.js, with the locked packages of tests/node installed beside their lock file."""
    node, npm = require_tool("node", "nodejs"), require_tool("npm")
    with _one_at_a_time():
        if not _are_installed():
            try:
                await run(npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", timeout=300)
            except AssertionError as error:
                missing(f"needs the npm packages of tests/node ({error})")
    return node


def _are_installed() -> bool:
    lock, installed = NODE / "package-lock.json", NODE / "node_modules" / ".package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Tests run in several processes, and npm begins by deleting what is there."""
    import fcntl

    with (NODE / ".installing").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The address of a real server for the app, on a free port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="auto"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await until(lambda: server.started or task.done())
        assert not task.done(), "the server did not start"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
