"""The sampling page in a real browser: its controls change what is drawn and said, and its figures are Python's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chromium import noted
from cineloop.report.sampling import Clip, Method, Origin, Sample, Samples, decode_sheets, page, plan, summarise
from cineloop.video.sampling import FrameSampler, RoundsConfig, SamplingConfig
from sampled import MODES, made_cohort, method

pytestmark = pytest.mark.browser

# The harness loads the page in a frame, uses its controls one after another and notes what it then shows.
HARNESS = """<!DOCTYPE html><meta charset="utf-8">
<iframe id="page" src="page.html" width="WIDTH" height="900"></iframe><pre id="said"></pre><script>
onload = async () => {
  const inside = document.getElementById("page").contentWindow, page = inside.document, said = {};
  const get = (id) => page.getElementById(id);
  const settle = () => new Promise((done) => inside.setTimeout(done, 200));
  const choose = (id, value) => {
    get(id).value = value;
    get(id).dispatchEvent(new inside.Event(get(id).tagName === "INPUT" ? "input" : "change", { bubbles: true }));
  };
  const tick = (name, place) => page.querySelector(`input[name=${name}][value="${place}"]`).click();
  const figures = () => Object.fromEntries([...page.querySelectorAll("#figures tbody tr")].map((line) =>
    [`${line.dataset.method} ${line.dataset.split}`, [...line.querySelectorAll("td")].slice(1).map((cell) => cell.textContent)]));
  const note = async (name) => {
    await settle();
    const canvas = get("lanes");
    const sum = [...canvas.toDataURL()].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1000000007, 0);
    said[name] = { status: get("status").textContent, figures: figures(), sum, drawn: Number(canvas.dataset.drawn),
      pointed: get("pointed").textContent, charts: [...page.querySelectorAll(".chart svg[role=img]")].map((one) => one.id) };
  };
  const key = (key) => get("lanes").dispatchEvent(new inside.KeyboardEvent("keydown", { key, bubbles: true }));
  await note("all");
  tick("methods", 1); await note("without random");
  tick("methods", 1); tick("splits", 0); await note("without train");
  tick("splits", 0); choose("choose-rounds", "0"); await note("originals");
  choose("choose-rounds", "all"); choose("choose-epoch", "2"); await note("second epoch");
  choose("choose-epoch", "all"); choose("choose-label", "1"); await note("polyps");
  choose("choose-label", "all"); choose("choose-search", "clip0007"); await note("one video");
  choose("choose-search", ""); choose("choose-sort", "length"); await note("longest first");
  choose("choose-axis", "seconds"); await note("seconds");
  choose("choose-spread", "gap"); await note("gaps");
  key("ArrowDown"); key("ArrowRight"); await note("keys");
  get("scroller").scrollTop = 1e6; get("scroller").dispatchEvent(new inside.Event("scroll")); await note("end");
  get("reset").click(); await note("reset");
  tick("methods", 0); tick("methods", 1); tick("methods", 2); tick("methods", 3); tick("methods", 4); await note("nothing");
  const sticking = [...page.querySelectorAll("body *")].filter((one) =>
    !one.closest(".table, nav, svg, .skip") && one.getBoundingClientRect().right > WIDTH + 1);
  const controls = [...page.querySelectorAll("main input, main select, main button, main canvas")];
  document.getElementById("said").textContent = JSON.stringify({ ...said,
    width: page.documentElement.scrollWidth, sticking: sticking.map((one) => one.tagName + "." + one.className + "#" + one.id),
    nameless: controls.filter((one) => !(one.labels && one.labels.length) && !one.textContent && !one.ariaLabel).map((one) => one.outerHTML),
    fetched: inside.performance.getEntriesByType("resource").map((one) => one.name).filter((name) => !name.startsWith("data:")),
  });
};
</script>"""  # noqa: E501


def use(folder, html, harness):
    """Return what the harness noted, after checking that the console stayed silent."""
    (folder / "page.html").write_text(html)
    said, console = noted(folder, harness)
    assert not console
    return said


def text(value, digits=None):
    """Return a figure as the page writes it."""
    if value is None:
        return "–"
    return f"{value:.{digits}f}" if digits is not None else f"{int(100 * value + 0.5)}%"


def written(row):
    return [
        f"{row.rows:,}",
        f"{row.videos:,}",
        text(row.frames, 1),
        text(row.span),
        text(row.windows),
        text(row.gap),
        text(row.gap_seconds, 1),
        text(row.variation, 2),
        text(row.repeated),
        text(row.distinct),
    ]


def close(one, other):
    """Return whether two rows of figures agree, up to a last digit that is rounded otherwise."""
    numbers = [[float(cell.rstrip("%").replace(",", "").replace("–", "nan")) for cell in row] for row in (one, other)]
    slack = [0, 0, 0.1, 1, 1, 1, 0.1, 0.01, 1, 1]
    pairs = zip(*numbers, slack, strict=True)
    return all(left == pytest.approx(right, abs=room * 1.001, nan_ok=True) for left, right, room in pairs)


@pytest.mark.parametrize("width", [500, 1100])
def test_the_controls_change_what_is_shown(width, tmp_path):
    redrawn = SamplingConfig(mode="random_window", redraw="epoch")
    methods = [method(mode, RoundsConfig(step=2, cap=5)) for mode in MODES]
    methods.append(Method("recipe", lambda split: FrameSampler(redrawn)))
    samples = plan(made_cohort(), methods, epochs=3, clock="steady").samples
    html = page(samples, Origin("planned", "made", "plain", "a steady clock")).render()
    said = use(tmp_path, html, HARNESS.replace("WIDTH", str(width)))

    summaries = {f"{row.method} {row.split}": written(row) for row in summarise(samples)}
    assert said["all"]["figures"].keys() == summaries.keys()
    assert all(close(cells, summaries[name]) for name, cells in said["all"]["figures"].items())
    assert said["all"]["status"].startswith(f"40 of 40 videos · {len(samples):,} of {len(samples):,} rows")
    assert said["all"]["drawn"] > 1
    assert said["all"]["charts"] == ["chart-positions", "chart-spread", "chart-lengths", "chart-seen"]

    assert not any(name.startswith("random ") for name in said["without random"]["figures"])
    assert "methods: uniform, random_window, clip, recipe" in said["without random"]["status"]
    assert not any(name.endswith(" train") for name in said["without train"]["figures"])
    originals = {f"{row.method} {row.split}": written(row) for row in summarise(samples.take(samples.round == 0))}
    assert all(close(cells, originals[name]) for name, cells in said["originals"]["figures"].items())
    second = samples.take((samples.epoch == 0) | (samples.epoch == 2))
    assert f"{len(second):,} of {len(samples):,} rows" in said["second epoch"]["status"]
    assert said["polyps"]["status"].startswith("13 of 40 videos")
    assert said["one video"]["status"].startswith("1 of 40 videos")
    assert said["one video"]["drawn"] == 1
    steps = ["all", "without random", "without train", "originals", "polyps", "longest first", "seconds", "keys", "end"]
    assert len({said[name]["sum"] for name in steps}) == len(steps)
    longest = max(samples.clips, key=lambda clip: clip.total * clip.step)
    assert said["keys"]["pointed"].startswith(longest.name)
    assert " · 2 of 8" in said["keys"]["pointed"]
    assert said["reset"]["status"] == said["all"]["status"]
    assert said["nothing"]["status"].startswith("0 of 40 videos · 0 of ")
    assert said["sticking"] == []
    assert said["width"] <= width
    assert said["nameless"] == []
    assert said["fetched"] == []


FIGURES = """<!DOCTYPE html><meta charset="utf-8">
<iframe id="page" src="page.html" width="1100" height="900"></iframe><pre id="said"></pre><script>
onload = () => {
  const page = document.getElementById("page").contentWindow.document;
  const lines = [...page.querySelectorAll("#figures tbody tr")];
  const read = (line) => [...line.querySelectorAll("td")].slice(1).map((cell) => cell.textContent);
  document.getElementById("said").textContent = JSON.stringify(lines.map(read));
};
</script>"""


def test_figures_of_short_videos_are_those_of_python(tmp_path):
    videos = [(9, [2, 4, 5]), (5, [0, 0, 0]), (17, [16, 3]), (7, [0, 6, 6, 1]), (3, [1]), (12, [0, 3, 7, 11])]
    clips = [Clip(f"v{number}", "train", total, step=0.3) for number, (total, _) in enumerate(videos)]
    # A method a video, so that no mean hides a difference.
    samples = Samples.of(
        Sample(clip, f"m{number}", tuple(frames))
        for number, (clip, (_, frames)) in enumerate(zip(clips, videos, strict=True))
    )
    html = page(samples, Origin("planned", "made", "plain", "x")).render()
    said = use(tmp_path, html, FIGURES)
    assert said == [written(row) for row in summarise(samples)]


SHEETS = """<!DOCTYPE html><meta charset="utf-8">
<iframe id="page" src="page.html" width="1100" height="900"></iframe><pre id="said"></pre><script>
onload = async () => {
  const inside = document.getElementById("page").contentWindow, page = inside.document;
  const read = () => [...page.querySelectorAll(".sheet")].map((sheet) => [sheet.querySelector("h3").textContent.trim(),
    sheet.querySelectorAll("img").length, sheet.querySelector("figcaption").textContent]);
  const loaded = [...page.querySelectorAll(".sheet img")].every((image) => image.naturalWidth > 0);
  const first = read(), picker = page.getElementById("choose-sheet");
  picker.value = picker.options[1].value;
  picker.dispatchEvent(new inside.Event("change", { bubbles: true }));
  const second = read(), alt = page.querySelector(".sheet img").alt;
  document.getElementById("said").textContent = JSON.stringify({ loaded, first, second, alt, ran: inside.ran === true,
    options: [...picker.isConnected ? picker.options : page.getElementById("choose-sheet").options].map((one) => one.text) });
};
</script>"""  # noqa: E501


def test_sheets_are_picked_by_video(tiny_cohort, tmp_path):
    from cineloop.cohort import Cohort

    cohort = Cohort.read(format="endofm", root=tiny_cohort, classes=("dark", "bright"))
    planned = plan(cohort, [method("uniform"), method("random")])
    hostile = "<script>ran = true</script>"
    samples = replace(
        planned.samples, clips=tuple(replace(clip, label=f"{clip.label}{hostile}") for clip in planned.samples.clips)
    )
    sheets = decode_sheets(samples, planned.items, 2)
    html = page(samples, Origin("planned", "made", "plain", "x"), sheets=sheets).render()
    said = use(tmp_path, html, SHEETS)
    assert said["loaded"]
    assert [row[:2] for row in said["first"]] == [["uniform", 8], ["random", 8]]
    assert said["first"][0][2] == "1: frame 0, 0.00 s"
    assert len(said["options"]) == 2
    assert hostile in said["options"][0]
    assert said["alt"].startswith(samples.clips[sheets[2].clip].name)
    assert not said["ran"]
