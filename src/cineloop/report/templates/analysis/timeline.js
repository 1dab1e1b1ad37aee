// The whole canvas: events, lanes, the axis, probabilities, and a bar that says which stretch is in sight.
const AXIS = 24, STRIP = 12, NARROW = 600;
const canvas = element("canvas", {
  id: "timeline", tabindex: "0", role: "slider", "aria-label": say.timeline, "aria-describedby": "timeline-help",
  "aria-valuemin": 0, "aria-valuemax": Math.round(data.seconds),
});
const layout = { height: 0, lanes: [], curves: [], axis: 0, strip: 0, left: 0, narrow: false };
let known = null;

// Colours of the style sheet, looked up once.
function palette() {
  if (known) return known;
  const style = getComputedStyle(document.documentElement), found = new Map();
  const of = (name) => {
    if (!found.has(name)) found.set(name, style.getPropertyValue(name).trim());
    return found.get(name);
  };
  known = { of, font: getComputedStyle(document.body).fontFamily };
  return known;
}

function layOut() {
  const context = canvas.getContext("2d");
  const wide = canvas.clientWidth || 600;
  layout.narrow = wide < NARROW;
  const title = layout.narrow ? 17 : 0, gap = layout.narrow ? 5 : 8;
  context.font = `13px ${palette().font}`;
  const titles = [...data.lanes, ...data.curves].map((one) => context.measureText(one.title).width);
  layout.left = layout.narrow ? 0 : Math.min(220, Math.ceil(Math.max(...titles, 0)) + 16);
  marks.levels = layout.narrow ? 3 : 2;
  let top = marks.levels * LABEL + 10;
  layout.lanes = data.lanes.map((lane) => {
    const place = { lane, label: top + (layout.narrow ? 8 : BAR / 2), top: top + title };
    top += title + BAR + gap;
    return place;
  });
  layout.lanesEnd = top - gap + 2;
  layout.axis = layout.lanesEnd;
  top = layout.axis + AXIS + 6;
  layout.curves = shownCurves().map((curve) => {
    const place = { curve, label: top + (layout.narrow ? 8 : CURVE / 2), top: top + title };
    top += title + CURVE + 2;
    return place;
  });
  layout.strip = top + 4;
  layout.height = layout.strip + STRIP + 6;
  canvas.style.height = `${layout.height}px`;
}

function frameOf() {
  const width = Math.max(50, canvas.clientWidth - layout.left);
  const scale = width / span();
  return {
    left: layout.left,
    width,
    x: (at) => layout.left + (at - view.from) * scale,
    at: (x) => view.from + (x - layout.left) / scale,
  };
}

function draw() {
  const begun = performance.now();
  const ratio = Math.max(1, window.devicePixelRatio || 1), frame = frameOf(), colours = palette();
  const width = Math.round(canvas.clientWidth * ratio), height = Math.round(layout.height * ratio);
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, layout.height);
  context.textBaseline = "middle";
  const last = layout.curves[layout.curves.length - 1];
  const bottom = last ? last.top + CURVE : layout.axis;
  drawAxis(context, frame, marks.levels * LABEL + 8, layout.axis, colours);
  for (const { lane, top } of layout.lanes) drawLane(context, frame, lane, top, colours);
  for (const { curve, top } of layout.curves) drawCurve(context, frame, curve, top, colours);
  drawGaps(context, frame, marks.levels * LABEL + 10, layout.axis, colours);
  drawMarks(context, frame, layout.axis, colours);
  drawCursors(context, frame, bottom, colours);
  for (const { lane, label } of layout.lanes) nameLane(context, lane.title, label, colours);
  for (const { curve, label } of layout.curves) nameLane(context, curve.title, label, colours);
  drawStrip(context, frame, colours);
  canvas.dataset.from = view.from.toFixed(3);
  canvas.dataset.to = view.to.toFixed(3);
  canvas.dataset.took = (performance.now() - begun).toFixed(1);
}

function nameLane(context, title, y, colours) {
  context.font = `${layout.narrow ? 12 : 13}px ${colours.font}`;
  context.textAlign = "left";
  // Above its lane a title stands on its own ground, so that no line of an event runs through it.
  context.fillStyle = colours.of("--paper");
  if (layout.narrow) context.fillRect(0, y - 8, context.measureText(title).width + 5, 16);
  context.fillStyle = colours.of("--soft");
  context.fillText(title, 0, y + 0.5, layout.narrow ? canvas.clientWidth : layout.left - 10);
}

function drawCursors(context, frame, bottom, colours) {
  const lines = [[view.hover, "--faint", 1], [view.at, "--accent", 2]];
  if (dragged && dragged.kind === "select" && dragged.moved) {
    const [from, to] = [dragged.start, dragged.now].sort((one, other) => one - other);
    context.fillStyle = colours.of("--accent");
    context.globalAlpha = 0.2;
    context.fillRect(from, marks.levels * LABEL + 6, to - from, bottom - marks.levels * LABEL - 6);
    context.globalAlpha = 1;
  }
  for (const [at, colour, wide] of lines) {
    if (at === null || at < view.from || at > view.to) continue;
    const x = Math.min(frame.x(at), frame.left + frame.width - wide) - wide / 2, top = marks.levels * LABEL + 6;
    context.fillStyle = colours.of(colour);
    context.fillRect(x, top, wide, layout.axis + 2 - top);
    context.fillRect(x, layout.axis + AXIS, wide, Math.max(0, bottom - layout.axis - AXIS));
  }
}

// The course as a whole, and the stretch in sight.
function drawStrip(context, frame, colours) {
  const scale = frame.width / data.seconds, top = layout.strip;
  const phases = data.lanes.find((lane) => lane.name === "phase");
  context.fillStyle = colours.of("--tint");
  context.fillRect(frame.left, top, frame.width, STRIP);
  context.globalAlpha = 0.45;
  for (let at = 0; phases && at < phases.start.length; at++) {
    context.fillStyle = colours.of(`--${phases.states[phases.state[at]][1]}`);
    context.fillRect(frame.left + phases.start[at] * scale, top, (phases.stop[at] - phases.start[at]) * scale, STRIP);
  }
  context.globalAlpha = 1;
  const begin = frame.left + view.from * scale, wide = Math.max(4, span() * scale);
  context.strokeStyle = colours.of("--ink");
  context.lineWidth = 2;
  context.strokeRect(begin + 1, top - 1, wide - 2, STRIP + 2);
}
