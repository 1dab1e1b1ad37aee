"""The guard that keeps tests from the network does guard; every test that runs the program runs behind it."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

import offline.sitecustomize as offline
from program import environment

# An address that is reserved for documentation (RFC 5737).
NOWHERE = "192.0.2.1"


def test_no_test_reaches_another_machine():
    with pytest.raises(PermissionError):
        socket.create_connection((NOWHERE, 9), timeout=0.1)
    with pytest.raises(PermissionError):
        socket.getaddrinfo("example.invalid", 80)
    assert len(offline.attempts) == 2
    offline.attempts.clear()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def test_no_child_reaches_another_machine():
    # The child swallows the refusal, as a library might; the guard ends it all the same.
    code = f"import socket\ntry: socket.create_connection(('{NOWHERE}', 9), timeout=0.1)\nexcept Exception: pass"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert done.returncode == 97
    assert NOWHERE in done.stderr
