"""Pages in headless Chromium: a harness loads one in a frame, uses it, and notes what it shows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_browser():
    """Return the browser's program; without one the test is skipped."""
    for name in NAMES:
        if shutil.which(name):
            return name
    pytest.skip("no Chromium is installed")


def noted(folder, harness, *, budget=20_000):
    """Return what a harness noted as JSON in its element ``said``, and what the browser's console said.

    Args:
        folder: Where the page lies that the harness loads.
        harness: HTML.
        budget: Milliseconds of the page's own clock.
    """
    (folder / "harness.html").write_text(harness)
    done = subprocess.run(
        [
            find_browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}",
            f"--virtual-time-budget={budget}", "--window-size=1400,1000", "--enable-logging=stderr", "--dump-dom",
            (folder / "harness.html").as_uri(),
        ],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    found = re.search(r'<pre id="said">(.+?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")), console
