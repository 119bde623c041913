"""Run in a process of its own, with a module's name: imports it and prints the seconds and what is heavy."""

import json
import sys
import time

HEAVY = (
    *("httpx", "jwt", "cryptography", "boto3", "botocore", "requests", "aiohttp", "grpc", "phonenumbers"),
    *("twilio", "sendgrid", "numpy", "pandas", "google.auth", "h2"),
)
FORBIDDEN = (
    "socket.connect",
    "socket.getaddrinfo",
    "socket.bind",
    "subprocess.Popen",
)


def refuse(event: str, _: object) -> None:
    if event in FORBIDDEN:
        raise RuntimeError(f"{event} at import: open nothing before the first send")


def main(module: str) -> None:
    # What every channel may use is not counted.
    import pydantic  # noqa: F401 - whether it can be imported is the question

    import channels  # noqa: F401 - whether it can be imported is the question

    before = set(sys.modules)
    sys.addaudithook(refuse)
    started = time.process_time()
    __import__(module)
    seconds = time.process_time() - started
    print()
    print(json.dumps([seconds, [name for name in HEAVY if name in sys.modules and name not in before]]))


if __name__ == "__main__":
    main(sys.argv[1])
