"""A page in a real browser: nothing sticks out on a phone, and nothing is fetched or run."""

from __future__ import annotations

import pytest

from chromium import noted
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


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    "classes", [("normal", "lesion"), ("<script>ran = true</script>", "b" * 60, "c", "d", "e", "f", "g")]
)
def test_a_report_fits_the_screen_and_stays_alone(classes, width, tmp_path):
    some = made(0, patients=60, classes=classes, attributes={"a site of long name": ["x" * 60, "y", "z"] * 60})
    found = evaluate(
        some, config=EvaluateSection(replicates=100), watermark="one patient only; " + "w" * 80, cohort="c" * 90
    )
    found.write(tmp_path / "e", provenance={"weights SHA-256": "ab" * 32}, salt="s")
    said, _ = noted(tmp_path / "e", HARNESS.replace("WIDTH", str(width)), budget=5000)
    assert said["sticking"] == []
    assert said["width"] <= width
    assert said["figures"] >= 5
    assert said["fetched"] == []
    assert not said["ran"]
