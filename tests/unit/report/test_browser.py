"""A page in a real browser: nothing sticks out on a phone, and nothing is fetched or run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from cineloop.evaluation.evaluation import evaluate
from cineloop.evaluation.schema import EvaluateSection
from made_predictions import made

pytestmark = pytest.mark.browser

# The harness loads the page in a frame of the device's width and reports what it measures there.
HARNESS = """<!DOCTYPE html><meta charset="utf-8">
<iframe id="page" src="report.html" width="WIDTH" height="900"></iframe>
<pre id="said"></pre><script>
onload = () => {
  const inside = document.getElementById("page").contentDocument;
  const sticking = [...inside.querySelectorAll("body *")].filter((one) =>
    !one.closest(".table, nav, svg, .skip") && one.getBoundingClientRect().right > WIDTH + 1);
  document.getElementById("said").textContent = JSON.stringify({
    width: inside.documentElement.scrollWidth,
    sticking: sticking.map((one) => one.tagName + "." + one.className),
    figures: [...inside.querySelectorAll("svg")].filter((one) => one.getBoundingClientRect().width > 100).length,
    fetched: document.getElementById("page").contentWindow.performance.getEntriesByType("resource")
      .map((one) => one.name).filter((name) => !name.startsWith("data:")),
    ran: document.getElementById("page").contentWindow.ran === true,
  });
};
</script>"""


@pytest.fixture(scope="module")
def browser():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return name
    pytest.skip("no Chromium is installed")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    "classes", [("normal", "lesion"), ("<script>ran = true</script>", "b" * 60, "c", "d", "e", "f", "g")]
)
def test_a_report_fits_the_screen_and_stays_alone(browser, classes, width, tmp_path):
    some = made(0, patients=60, classes=classes, attributes={"a site of long name": ["x" * 60, "y", "z"] * 60})
    found = evaluate(
        some, config=EvaluateSection(replicates=100), watermark="one patient only; " + "w" * 80, cohort="c" * 90
    )
    found.write(tmp_path / "e", provenance={"weights SHA-256": "ab" * 32}, salt="s")
    (tmp_path / "e" / "harness.html").write_text(HARNESS.replace("WIDTH", str(width)))
    shown = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000",
            "--window-size=1400,1000", "--dump-dom", (tmp_path / "e" / "harness.html").as_uri(),
        ],
        capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip
    said = json.loads(re.search(r'<pre id="said">(.*?)</pre>', shown, re.DOTALL)[1])
    assert said["sticking"] == []
    assert said["width"] <= width
    assert said["figures"] >= 5
    assert said["fetched"] == []
    assert not said["ran"]
