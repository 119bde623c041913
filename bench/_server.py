"""A real `sojourn serve` in a process of its own, on a database of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_READY_SECONDS = 120
"""Of a machine that has a lot to do besides; the claim about the start is measured, not asserted, here."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sojourn(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "server.cli", *arguments]


class Server:
    """Made with a project in it; started, killed and started again at will, always on the same port."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        zone: str = "UTC",
        database: str = "",
        keys: dict[str, str] | None = None,
    ) -> None:
        """`database` and `keys` are those of another server, beside which this one works."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = database or f"sqlite:///{folder}/sojourn.db"
        self.environment = {
            **os.environ,
            "SOJOURN_DATABASE_URL": self.database,
            "SOJOURN_PUBLIC_URL": self.url,
        }
        self._options = options
        self._log = open(folder / f"server-{self.port}.log", "ab")  # noqa: SIM115 - closed by stop()
        self.start_seconds = 0.0
        self.keys = keys or self._created(zone)

    def _created(self, zone: str) -> dict[str, str]:
        create = sojourn("project", "create", "Shop", "--json", "--time-zone", zone)
        made = subprocess.run(create, env=self.environment, capture_output=True, check=True)
        keys: dict[str, str] = json.loads(made.stdout)
        return keys

    def start(self) -> None:
        started = time.perf_counter()
        self.process = subprocess.Popen(
            sojourn("serve", "--port", str(self.port), *self._options),
            env=self.environment,
            stdout=self._log,
            stderr=self._log,
        )
        self._until_ready()
        self.start_seconds = time.perf_counter() - started

    def _until_ready(self) -> None:
        until = time.perf_counter() + _READY_SECONDS
        while time.perf_counter() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"The server ended with {self.process.returncode}; see its log.")
            try:
                with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
                    connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                    if b" 200 " in connection.recv(100):
                        return
            except OSError:
                pass
            time.sleep(0.005)
        raise RuntimeError("The server did not become ready in time.")

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Another command on the same database, beside the server."""
        return subprocess.run(
            sojourn(*arguments), env=self.environment, capture_output=True, text=True, check=False
        )

    def peak_memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def computing_seconds(self) -> float:
        """What its threads have computed so far: on a busy machine this says more than the clock."""
        ran = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(ran[11]) + int(ran[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is said."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP: it does nothing more, and does not know it."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """SIGTERM: it finishes what is in flight, and may be started again. Returns how it exited."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_READY_SECONDS)

    def stop(self) -> int:
        """The same for good."""
        code = self.end()
        self._log.close()
        return code
