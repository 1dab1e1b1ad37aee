// The parts put together: what follows a change, the pointer, the keys, paper.
const COLUMNS = [
  ["Rows", (one) => grouped.format(one.rows), "rows"],
  ["Videos", (one) => grouped.format(one.videos), "videos"],
  ["Frames", (one) => number(one.frames, 1), "frames of a row, mean"],
  ["Span", (one) => percent(one.span), "share of the video from the first to the last sampled frame, mean"],
  ["Windows hit", (one) => percent(one.windows), "share of as many equal windows as frames that hold a sampled frame, mean"],
  ["Longest gap", (one) => percent(one.gap), "longest run of frames not sampled, share of the video, median"],
  ["in seconds", (one) => number(one.gapSeconds, 1), "the same in seconds, median"],
  ["Gap CV", (one) => number(one.variation, 2), "standard deviation / mean of the distances between frames, median"],
  ["Repeats", (one) => percent(one.repeated), "share of rows in which a frame repeats"],
  ["Frames seen", (one) => percent(one.distinct), "share of a video's frames that its rows show together, mean"],
];

function buildSummary(selection) {
  const columns = COLUMNS.filter(([title]) => title !== "in seconds" || timesKnown);
  const lines = [];
  selection.byMethod.forEach((rows, method) => {
    data.splits.forEach((split, place) => {
      const here = rows.filter((row) => data.clipSplit[data.clip[row]] === place);
      if (!here.length) return;
      const one = summarise(here);
      lines.push(
        element(
          "tr",
          { "data-method": data.methods[method], "data-split": split },
          element("th", { scope: "row" }, swatch(method), ` ${data.methods[method]}`),
          element("td", {}, split),
          ...columns.map(([, text]) => element("td", { class: "numeric" }, text(one))),
        ),
      );
    });
  });
  const head = [["Method", null, "", ""], ["Split", null, "", ""], ...columns].map(([title, , hint], at) =>
    element("th", { scope: "col", class: at > 1 ? "numeric" : null, title: hint || null }, title),
  );
  part("summary").replaceChildren(
    element(
      "div",
      { class: "table", role: "region", "aria-label": "Figures of the selection", tabindex: "0" },
      element(
        "table",
        { id: "figures" },
        element("caption", {}, "The selection, by method and split."),
        element("thead", {}, element("tr", {}, ...head)),
        element("tbody", {}, ...lines),
      ),
    ),
    element(
      "p",
      { class: "note below" },
      "Span, windows, seen: means. Gap, gap CV: medians. Windows hit: of as many equal windows as a row has frames, those with a sampled frame. " +
        "Longest gap: the longest run of frames that are not sampled, at the ends too.",
    ),
  );
}

function buildTimelineControls() {
  document.getElementById("timeline-controls").replaceChildren(
    choice("Order", "sort", SORTS),
    choice("Axis", "axis", [
      ["share", "share of the video"],
      ["frames", "frames, one scale"],
      ...(timesKnown ? [["seconds", "seconds, one scale"]] : []),
    ]),
  );
}

function buildTimeline() {
  const canvas = element("canvas", {
    id: "lanes", tabindex: "0", role: "application", "aria-describedby": "pointed keys",
    "aria-label": "Sampled frames of each video, one lane a method",
  });
  const scroller = element("div", { id: "scroller" }, canvas, element("div", { id: "spacer" }));
  part("timeline").replaceChildren(
    element("div", { id: "timeline-controls", class: "controls" }),
    element("p", { id: "pointed", role: "status", class: "status" }),
    element("div", { id: "frame" }, scroller, element("div", { id: "tip", hidden: true })),
    element("p", { id: "keys", class: "note below" }, "Hover a mark, or focus the lanes: arrow keys go from mark to mark and from lane to lane."),
  );
  scroller.addEventListener("scroll", schedule);
  canvas.addEventListener("pointermove", (event) => point(nearest(event.offsetX, event.offsetY), event.offsetX, event.offsetY));
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("keydown", onKey);
}

let waiting = false;
function schedule() {
  if (waiting) return;
  waiting = true;
  const once = () => {
    if (waiting) draw();
    waiting = false;
  };
  requestAnimationFrame(once);
  // A page that is not in sight has no animation frames, and may be printed all the same.
  setTimeout(once, 60);
}

const QUIET = "No mark is pointed at.";

function describe(row, n) {
  const clip = data.clip[row];
  const frame = data.frames[data.offsets[row] + n];
  const seconds = fileSecondsOf(row, n);
  const said = [data.names[clip], data.methods[data.method[row]], `frame ${frame} of ${data.total[clip]}`];
  if (data.start[clip]) said.push(`${data.start[clip] + frame} in its file`);
  if (seconds !== null) said.push(`${number(seconds, 2)} s`);
  said.push(`${n + 1} of ${data.counts[row]}`);
  if (data.round[row]) said.push(`round ${data.round[row]}`);
  if (data.epoch[row]) said.push(`epoch ${data.epoch[row]}`);
  if (data.view[row]) said.push(`view ${data.view[row] + 1}`);
  return said.join(" · ");
}

function point(mark, x, y) {
  const tip = document.getElementById("tip");
  timeline.pointed = mark;
  document.getElementById("pointed").textContent = mark ? describe(mark.row, mark.n) : QUIET;
  tip.hidden = !mark || x === undefined;
  if (!tip.hidden) {
    tip.textContent = describe(mark.row, mark.n);
    const { clientWidth: width, clientHeight: height } = tip.parentElement;
    tip.style.left = `${Math.max(0, Math.min(x + 12, width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${y + 22 + tip.offsetHeight < height ? y + 18 : y - tip.offsetHeight - 12}px`;
  }
  schedule();
}

function nearest(x, y) {
  const canvas = document.getElementById("lanes");
  const frame = frameOf(canvas);
  const at = y + canvas.parentElement.scrollTop;
  if (y < AXIS) return null;
  const band = timeline.bands[firstInSight(at)];
  const lane = band && band.lanes.find((one) => at >= one.top && at < one.top + one.height + 2);
  if (!lane) return null;
  const many = lane.rows.length;
  const rows = many > MANY ? lane.rows : [lane.rows[Math.max(0, Math.min(many - 1, Math.floor(((at - lane.top) / lane.height) * many)))]];
  let best = null, distance = 8;
  for (const row of rows)
    for (let n = 0; n < data.counts[row]; n++) {
      const away = Math.abs(frame.x(positionOf(row, n)) - x);
      if (away < distance) {
        distance = away;
        best = { row, n };
      }
    }
  return best;
}

// Rows in the order in which they are seen, for the keys.
function onKey(event) {
  const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], PageDown: [20, 0], PageUp: [-20, 0] };
  const ends = { Home: 0, End: Infinity };
  if (!(event.key in steps || event.key in ends) || !timeline.bands.length) return;
  event.preventDefault();
  const order = timeline.bands.flatMap((band) => band.lanes.flatMap((lane) => lane.rows.map((row) => ({ row, band, lane }))));
  const mark = timeline.pointed;
  const scroller = document.getElementById("scroller");
  const [down, right] = steps[event.key] || [0, 0];
  let place = mark ? order.findIndex((one) => one.row === mark.row) : order.findIndex((one) => one.lane.top >= scroller.scrollTop + AXIS);
  if (mark) place = Math.max(0, Math.min(order.length - 1, place + down));
  if (event.key in ends) place = Math.min(order.length - 1, ends[event.key]);
  const { row, band } = order[Math.max(0, place)];
  const n = Math.max(0, Math.min(data.counts[row] - 1, (mark && !(event.key in ends) ? mark.n : 0) + (mark ? right : 0)));
  const high = scroller.clientHeight;
  if (band.top < scroller.scrollTop + AXIS) scroller.scrollTop = band.top - AXIS - 4;
  else if (band.bottom > scroller.scrollTop + high) scroller.scrollTop = band.bottom - high;
  point({ row, n });
}

function size(height) {
  const scroller = document.getElementById("scroller");
  const tall = Math.min(timeline.height + 2, height ?? Math.max(320, Math.round(window.innerHeight * 0.68)));
  scroller.style.height = `${tall}px`;
  document.getElementById("lanes").style.height = `${tall}px`;
  document.getElementById("spacer").style.height = `${Math.max(0, timeline.height - tall)}px`;
}

let later = 0;
function refresh() {
  const selection = select();
  sayStatus(selection);
  layOut(selection);
  size();
  document.getElementById("scroller").scrollTop = 0;
  point(null);
  buildSummary(selection);
  buildSheets();
  clearTimeout(later);
  // Typing in the search goes on while charts wait.
  later = setTimeout(() => buildCharts(selection), 0);
}

function recolour() {
  timeline.colours = null;
  schedule();
}

buildControls();
buildTimeline();
buildTimelineControls();
refresh();
clearTimeout(later);
buildCharts(select());
draw();
document.documentElement.dataset.drawn = Math.round(performance.now());
new ResizeObserver(schedule).observe(document.getElementById("scroller"));
window.addEventListener("resize", () => {
  size();
  schedule();
});
for (const query of ["print", "(prefers-color-scheme: dark)"]) window.matchMedia(query).addEventListener("change", recolour);
// Paper shows the first videos of the selection, as many as fit two pages.
window.addEventListener("beforeprint", () => {
  const last = timeline.bands.filter((band) => band.bottom <= 1600).pop();
  size(last ? last.bottom : 1600);
  timeline.colours = null;
  document.getElementById("scroller").scrollTop = 0;
  draw();
});
window.addEventListener("afterprint", () => {
  size();
  recolour();
});
