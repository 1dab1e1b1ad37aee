"""The report of a procedure in a real browser: it zooms, plays, tells and fits, from a file and without a network."""

from __future__ import annotations

import numpy as np
import pytest

from chromium import noted
from cineloop.analysis.report import write_report
from cineloop.analysis.settings import Settings
from cineloop.video.writer import VideoWriter
from made_analysis import made_analysis
from odd_analyses import odd_analyses

pytestmark = pytest.mark.browser

# The harness loads the page in a frame, uses it as hands would, and notes what it then shows.
HARNESS = """<!DOCTYPE html><meta charset="utf-8">
<iframe id="page" src="report.html" width="WIDTH" height="2400"></iframe><pre id="said"></pre><script>
const said = {};
let inside, page, canvas;
const settle = (ms = 150) => new Promise((done) => inside.setTimeout(done, ms));
const near = () => [Number(canvas.dataset.from), Number(canvas.dataset.to)];
const hand = (type, x, y, more = {}) => {
  const box = canvas.getBoundingClientRect();
  const Kind = type === "wheel" ? inside.WheelEvent : inside.PointerEvent;
  canvas.dispatchEvent(new Kind(type, { bubbles: true, cancelable: true, pointerId: 1, pointerType: "mouse",
    clientX: box.left + x, clientY: box.top + y, ...more }));
};
const click = (x, y) => { hand("pointerdown", x, y); hand("pointerup", x, y); };
const key = (key, more) => canvas.dispatchEvent(new inside.KeyboardEvent("keydown", { key, bubbles: true, ...more }));
const told = () => canvas.getAttribute("aria-valuetext");
// The page's clock runs ahead of what a player needs; fetching takes real time.
const until = async (met) => {
  for (let tries = 0; tries < 4000 && !met(); tries++) { await (await fetch("harness.html")).text(); await settle(1); }
};
const film = () => page.getElementById("film");
onload = async () => {
  inside = document.getElementById("page").contentWindow;
  page = inside.document;
  canvas = page.getElementById("timeline");
  await settle(500);
  const y = 100, right = canvas.clientWidth - 1;
  said.whole = near();
  said.first = told();
  STEPS
  const sticking = [...page.querySelectorAll("body *")].filter((one) =>
    !one.closest(".table, nav, svg, .skip, #tip") && one.getBoundingClientRect().right > WIDTH + 1);
  const controls = [...page.querySelectorAll("button, input, canvas, summary")];
  Object.assign(said, {
    width: page.documentElement.scrollWidth, sticking: sticking.map((one) => `${one.tagName}.${one.className}`),
    nameless: controls.filter((one) => !(one.labels && one.labels.length) && !one.textContent && !one.ariaLabel)
      .map((one) => one.outerHTML),
    fetched: inside.performance.getEntriesByType("resource").map((one) => one.name).filter((name) => !/^(data|blob):/.test(name)),
    ran: inside.ran === true,
  });
  document.getElementById("said").textContent = JSON.stringify(said);
};
</script>"""  # noqa: E501

ZOOM = """
  hand("wheel", right, y, { deltaY: -300 }); await settle(); said.scrolled = near();
  hand("wheel", right, y, { deltaY: -100, ctrlKey: true }); await settle(); said.wheel = near();
  key("0"); await settle(); said.reset = near();
  key("PageDown"); key("+"); await settle(); said.plus = near(); said.event = told();
  key("ArrowRight", { shiftKey: true }); await settle(); said.moved = near();
  key("Escape"); await settle();
  hand("pointerdown", right - 100, y); hand("pointermove", right - 50, y); hand("pointermove", right, y);
  hand("pointerup", right, y); await settle(); said.dragged = near();
  key("0"); await settle();
  const finger = (id) => ({ pointerId: id, pointerType: "touch" });
  hand("pointerdown", right - 60, y, finger(5)); hand("pointerdown", right - 30, y, finger(6));
  hand("pointermove", right, y, finger(6)); hand("pointermove", right - 90, y, finger(5));
  hand("pointerup", right, y, finger(6)); hand("pointerup", right - 90, y, finger(5)); await settle();
  said.pinched = near();
  key("0"); await settle();
  page.querySelector(".toolbar button").click(); await settle(); said.button = near();
  key("0"); await settle();
  hand("pointermove", right - 2, y); await settle();
  const tip = page.getElementById("tip");
  said.outside = { shown: !tip.hidden, text: tip.textContent, pictures: tip.querySelectorAll("img").length };
  hand("pointermove", right - 120, y); await settle(400);
  said.tip = { text: tip.textContent, picture: tip.querySelector("img").naturalWidth };
  hand("pointerleave", 0, 0); await settle(); said.left = tip.hidden;
  const high = canvas.clientHeight;
  page.querySelector(".choice input:not(:checked)").click(); await settle(); said.grown = canvas.clientHeight > high;
  said.pictures = [...page.querySelectorAll("[data-part=best] img, .screen img")].every((one) => one.naturalWidth > 0);
"""

PLAY = """
  const fileOf = () => film().src.split("/").pop();
  const done = () => ({ shown: !film().hidden, at: film().currentTime, file: fileOf(), told: told() });
  const after = async (act) => {
    let sought = false;
    film().addEventListener("seeked", () => { sought = true; }, { once: true });
    act();
    await until(() => sought);
    return done();
  };
  await until(() => film().currentTime > 0 && !film().seeking);
  said.film = done();
  said.clicked = await after(() => click(right - 1, y));
  said.jumped = await after(() => page.querySelector("[data-part=events] tbody button").click());
  said.best = await after(() => page.querySelectorAll("[data-part=best] button")[2].click());
  said.stepped = await after(() => key("ArrowRight"));
"""

OPEN = """
  const open = async (name, met) => {
    const bytes = await (await fetch(name)).blob(), files = new inside.DataTransfer();
    files.items.add(new inside.File([bytes], name, { type: "video/mp4" }));
    page.getElementById("open").files = files.files;
    page.getElementById("open").dispatchEvent(new inside.Event("change"));
    await until(met);
  };
  const why = () => page.querySelector(".picker span").textContent;
  await open("short.mp4", why); said.short = { shown: !film().hidden, why: why() };
  await open("film.mp4", () => film().currentTime > 0 && !film().seeking);
  said.opened = { shown: !film().hidden, at: film().currentTime };
"""


def use(folder, steps, width):
    said, console = noted(folder, HARNESS.replace("STEPS", steps).replace("WIDTH", str(width)))
    assert not console
    assert said["sticking"] == []
    assert said["width"] <= width
    assert said["nameless"] == []
    assert not said["ran"]
    return said


def film(path, seconds):
    """Write a short video of one grey."""
    with VideoWriter(path, 10, (64, 48), keyint=10) as writer:
        for _ in range(10 * seconds):
            writer.write(np.full((48, 64, 3), 120, np.uint8))


@pytest.mark.parametrize(("width", "language"), [(390, "en"), (1280, "en"), (1280, "zh")])
def test_the_timeline_zooms_and_tells(width, language, tmp_path):
    hostile = "<script>ran = true</script>"
    analysis = made_analysis(
        settings=Settings(language=language), name=f"{hostile}{'x' * 80}", warnings=(hostile, "w" * 200)
    )
    write_report(analysis, tmp_path)
    said = use(tmp_path, ZOOM, width)
    assert said["fetched"] == []
    assert said["whole"] == said["scrolled"] == said["reset"] == [0, 1200]
    assert said["first"].startswith("00:07:12.0, ")
    assert said["wheel"][1] == pytest.approx(1200, abs=5)
    assert said["wheel"][0] > 500
    assert said["event"].startswith("00:08:12.0, ")
    assert said["plus"][1] - said["plus"][0] == pytest.approx(600)
    assert said["plus"][0] < 492 < said["plus"][1]
    assert said["moved"][0] == pytest.approx(said["plus"][0] + 150)
    assert said["dragged"][1] == pytest.approx(1200, abs=5)
    assert 50 < said["dragged"][1] - said["dragged"][0] < 450
    wide = said["pinched"][1] - said["pinched"][0]
    assert wide == pytest.approx(400, rel=0.05)
    assert said["button"][1] - said["button"][0] == pytest.approx(600)
    assert said["outside"]["shown"]
    assert said["outside"]["pictures"] == 0
    assert "00:19:" in said["outside"]["text"]
    assert ("outside" if language == "en" else "体外") in said["outside"]["text"]
    assert said["tip"]["picture"] == 160
    assert ("withdrawal" if language == "en" else "退镜") in said["tip"]["text"]
    assert said["left"]
    assert said["grown"]
    assert said["pictures"]


def test_a_click_seeks_the_recording_beside_the_page(tmp_path):
    names = {number: f"pärt {number} #%3F.mp4" for number in range(3)}
    for name in names.values():
        film(tmp_path / name, 20)
    analysis = made_analysis(1, parts=3, gaps=False, videos=names)
    write_report(analysis, tmp_path)
    said = use(tmp_path, PLAY, 1280)
    first, second, third = (f"p%C3%A4rt%20{number}%20%23%253F.mp4" for number in range(3))
    reached = next(event.place for event in analysis.events if event.name == "caecum_reached")
    assert said["film"]["shown"]
    assert (said["film"]["file"], said["film"]["at"]) == (second, pytest.approx(reached.part_seconds, abs=0.01))
    assert said["clicked"]["shown"]
    assert said["clicked"]["file"] == third
    assert said["clicked"]["at"] == pytest.approx(19.9, abs=0.2)
    assert said["clicked"]["told"].startswith("00:00:59.")
    begins = analysis.events[0].place
    assert (said["jumped"]["file"], said["jumped"]["at"]) == (first, pytest.approx(begins.part_seconds, abs=0.01))
    best = sorted(analysis.best, key=lambda one: one.place.seconds)[2].place
    assert said["best"]["file"] == (first, second, third)[best.part]
    assert said["best"]["at"] == pytest.approx(best.part_seconds, abs=0.01)
    assert said["stepped"]["at"] == pytest.approx(best.part_seconds + 0.6, abs=0.01)
    assert all(name.endswith((first, second, third)) for name in said["fetched"])


def test_a_reader_opens_the_recording(tmp_path):
    film(tmp_path / "film.mp4", 60)
    film(tmp_path / "short.mp4", 20)
    write_report(made_analysis(1, gaps=False), tmp_path)
    said = use(tmp_path, OPEN, 1280)
    assert not said["short"]["shown"]
    assert "00:00:20" in said["short"]["why"]
    assert said["opened"] == {"shown": True, "at": pytest.approx(21.6, abs=0.01)}
    assert said["fetched"] == []


ODD = """
  hand("pointermove", 200, y); await settle();
  click(200, y); key("+"); key("PageDown"); key("End"); key("ArrowLeft"); await settle(); said.last = told();
  said.lanes = Number(canvas.dataset.took) >= 0;
"""


@pytest.mark.parametrize("odd", ["nothing", "classes", "one second", "many alarms", "clips not judged"])
def test_odd_procedures_are_shown_too(odd, tmp_path):
    write_report(odd_analyses()[odd](), tmp_path)
    said = use(tmp_path, ODD, 390)
    assert said["last"].startswith("00:0" if odd == "one second" else "00:1")
    assert said["lanes"]
