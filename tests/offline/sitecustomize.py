"""No test may reach another machine. Children import this at their start, conftest.py in the process of the tests."""

import os
import sys

#: Where somebody tried to connect to; the tests' own process looks after each test.
attempts: list[str] = []
HERE = {"localhost", "localhost.localdomain", "127.0.0.1", "::1", "0.0.0.0", "::", ""}
_END = bool(os.environ.get("CINELOOP_TEST_CHILD"))


def _host(event: str, arguments: tuple) -> str | None:
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return None
    host = host.decode() if isinstance(host, bytes) else host
    return None if host is None or host in HERE or host == os.uname().nodename else str(host)


def _watch(event: str, arguments: tuple) -> None:
    if not event.startswith("socket."):
        return
    host = _host(event, arguments)
    if host is None:
        return
    attempts.append(host)
    if _END:
        os.write(2, f"reached out to {host}\n".encode())
        os._exit(97)
    raise PermissionError(f"a test reached out to {host}")


sys.addaudithook(_watch)
