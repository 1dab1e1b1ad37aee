// One band a video, in it one lane a method; only what is in sight is drawn.
const AXIS = 26, TITLE = 22, LANE = 17, SUB = 6, DENSE = 20, SPACE = 12, MANY = 12;
const SORTS = [
  ["split", "split, then name"],
  ["name", "name"],
  ["length", "length, longest first"],
  ["span", "span, smallest first"],
  ["gap", "gap, longest first"],
];
const timeline = { bands: [], height: 0, labels: 0, pointed: null, colours: null };

function lanesOf(selection) {
  const byClip = new Map([...selection.clips].map((clip) => [clip, []]));
  selection.byMethod.forEach((rows, method) => {
    for (const row of rows) {
      const lanes = byClip.get(data.clip[row]);
      const last = lanes[lanes.length - 1];
      if (last && last.method === method) last.rows.push(row);
      else lanes.push({ method, rows: [row] });
    }
  });
  return byClip;
}

function laneHeight(lane) {
  const many = lane.rows.length;
  return many === 1 ? LANE : many <= MANY ? Math.max(LANE, many * SUB + 4) : DENSE + 2;
}

function sortKeys(clip, lanes) {
  const rows = lanes.flatMap((lane) => lane.rows);
  return {
    split: data.clipSplit[clip],
    name: data.names[clip],
    length: -(timesKnown ? lengthOf(clip) || 0 : data.total[clip]),
    span: mean(known(measures.span, rows)),
    gap: -greatest(rows.map((row) => (timesKnown ? measures.gapSeconds[row] || 0 : measures.gap[row]))),
  };
}

function compare(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}

function layOut(selection) {
  const bands = [...lanesOf(selection)].map(([clip, lanes]) => ({ clip, lanes, keys: sortKeys(clip, lanes) }));
  bands.sort(
    (one, other) =>
      (state.sort === "name" ? 0 : compare(one.keys[state.sort], other.keys[state.sort])) ||
      compare(one.keys.name, other.keys.name) ||
      one.clip - other.clip,
  );
  let top = AXIS + 4;
  for (const band of bands) {
    band.top = top;
    top += TITLE;
    for (const lane of band.lanes) {
      lane.top = top;
      lane.height = laneHeight(lane);
      top += lane.height + 2;
    }
    top += SPACE;
    band.bottom = top;
  }
  timeline.bands = bands;
  timeline.height = top;
  timeline.longest = greatest(bands.map((band) => extent(band.clip)), 0) || 1;
  timeline.pointed = null;
  const context = document.getElementById("lanes").getContext("2d");
  context.font = `12.5px ${(timeline.colours ??= palette()).font}`;
  const names = new Set(bands.flatMap((band) => band.lanes.map(nameOf)));
  timeline.labels = greatest([...names].map((name) => context.measureText(name).width), 0);
}

function nameOf(lane) {
  return `${data.methods[lane.method]}${lane.rows.length > 1 ? ` ×${lane.rows.length}` : ""}`;
}

// How long a clip is on the axis: in frames, in seconds, or 1.
function extent(clip) {
  return state.axis === "seconds" ? lengthOf(clip) || 0 : state.axis === "frames" ? data.total[clip] : 1;
}

function positionOf(row, n) {
  const clip = data.clip[row];
  const frame = data.frames[data.offsets[row] + n];
  if (state.axis === "seconds") return secondsOf(row, n) ?? 0;
  return state.axis === "frames" ? frame + 0.5 : (frame + 0.5) / data.total[clip];
}

function ticks(longest) {
  return state.axis === "share" ? [0, 0.2, 0.4, 0.6, 0.8, 1] : evenTicks(longest, state.axis === "frames");
}

function tickText(value) {
  if (state.axis === "share") return percent(value);
  const text = grouped.format(Number(value.toPrecision(6)));
  return state.axis === "seconds" ? `${text} s` : text;
}

function palette() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    methods: data.methods.map((_, method) => of(colourName(method))),
    ink: of("--ink"), soft: of("--soft"), line: of("--line"), tint: of("--tint"), paper: of("--paper"),
    font: getComputedStyle(document.body).fontFamily,
  };
}

function frameOf(canvas) {
  const width = canvas.clientWidth;
  const left = Math.min(Math.max(84, timeline.labels + 14), width * 0.36);
  const scale = (width - left - 14) / timeline.longest;
  return { width, height: canvas.clientHeight, left, x: (value) => left + value * scale };
}

function fitted(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let low = 0, high = text.length;
  while (low < high) {
    const half = (low + high + 1) >> 1;
    if (context.measureText(`${text.slice(0, half)}…`).width <= width) low = half;
    else high = half - 1;
  }
  return `${text.slice(0, low)}…`;
}

function labelText(label) {
  return /^\d+$/.test(data.labels[label]) ? `class ${data.labels[label]}` : data.labels[label];
}

function titleOf(clip) {
  const said = [data.splits[data.clipSplit[clip]]];
  if (data.label[clip] >= 0) said.unshift(labelText(data.label[clip]));
  said.push(plural(data.total[clip], "frame"));
  if (lengthOf(clip) !== null) said.push(`${number(lengthOf(clip), 1)} s`);
  return said.join(" · ");
}

function drawLane(context, frame, lane, top, colour) {
  const { rows } = lane;
  const pointed = timeline.pointed;
  if (rows.length > MANY) return drawDensity(context, frame, lane, top, colour);
  context.fillStyle = colour;
  const height = rows.length === 1 ? lane.height : (lane.height - 2) / rows.length;
  rows.forEach((row, place) => {
    const y = top + place * height + (rows.length === 1 ? 0 : 1);
    for (let n = 0; n < data.counts[row]; n++) {
      const on = pointed && pointed.row === row && pointed.n === n;
      const x = frame.x(positionOf(row, n));
      context.fillRect(x - (on ? 3 : 1.25), on ? y - 2 : y + 1, on ? 6 : 2.5, on ? height + 4 : height - (rows.length === 1 ? 2 : 1));
    }
  });
}

// Many rows: how often each place is sampled, as a shade.
function drawDensity(context, frame, lane, top, colour) {
  const bins = new Map();
  let most = 1;
  for (const row of lane.rows)
    for (let n = 0; n < data.counts[row]; n++) {
      const bin = Math.floor((frame.x(positionOf(row, n)) - frame.left) / 3);
      const count = (bins.get(bin) || 0) + 1;
      bins.set(bin, count);
      most = Math.max(most, count);
    }
  context.fillStyle = colour;
  for (const [bin, count] of bins) {
    context.globalAlpha = 0.2 + (0.8 * count) / most;
    context.fillRect(frame.left + 3 * bin, top + 1, 3, lane.height - 2);
  }
  context.globalAlpha = 1;
}

function firstInSight(y) {
  let low = 0, high = timeline.bands.length;
  while (low < high) {
    const half = (low + high) >> 1;
    if (timeline.bands[half].bottom < y) low = half + 1;
    else high = half;
  }
  return low;
}

function draw() {
  const canvas = document.getElementById("lanes");
  const scroll = canvas.parentElement.scrollTop;
  const ratio = Math.max(1, window.devicePixelRatio || 1);
  const frame = frameOf(canvas);
  canvas.width = Math.round(frame.width * ratio);
  canvas.height = Math.round(frame.height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const colours = (timeline.colours ??= palette());
  const size = 12.5;
  context.textBaseline = "middle";
  let drawn = 0;
  for (let at = firstInSight(scroll); at < timeline.bands.length && timeline.bands[at].top < scroll + frame.height; at++) {
    const band = timeline.bands[at];
    const top = band.top - scroll;
    context.font = `600 ${size + 0.5}px ${colours.font}`;
    context.fillStyle = colours.ink;
    const detail = titleOf(band.clip);
    context.font = `${size}px ${colours.font}`;
    const room = Math.min(context.measureText(detail).width, frame.width * 0.62);
    context.font = `600 ${size + 0.5}px ${colours.font}`;
    const name = fitted(context, data.names[band.clip], frame.width - room - 24);
    context.fillText(name, 4, top + TITLE / 2);
    const used = context.measureText(name).width;
    context.font = `${size}px ${colours.font}`;
    context.fillStyle = colours.soft;
    context.fillText(fitted(context, detail, frame.width - used - 24), used + 16, top + TITLE / 2);
    for (const lane of band.lanes) {
      const y = lane.top - scroll;
      const right = frame.x(extent(band.clip));
      context.fillStyle = colours.tint;
      context.fillRect(frame.left, y, right - frame.left, lane.height);
      context.fillStyle = colours.soft;
      context.font = `${size}px ${colours.font}`;
      context.fillText(fitted(context, nameOf(lane), frame.left - 10), 4, y + lane.height / 2 + 0.5);
      drawLane(context, frame, lane, y, colours.methods[lane.method]);
    }
    drawn++;
  }
  drawAxis(context, frame, colours);
  canvas.dataset.drawn = drawn;
}

function drawAxis(context, frame, colours) {
  context.fillStyle = colours.paper;
  context.fillRect(0, 0, frame.width, AXIS);
  context.fillStyle = colours.soft;
  context.strokeStyle = colours.line;
  context.font = `12px ${colours.font}`;
  context.fillText(fitted(context, { share: "share of video", frames: "frame", seconds: "time" }[state.axis], frame.left - 10), 4, AXIS / 2);
  let end = -Infinity;
  for (const value of ticks(timeline.longest)) {
    const x = frame.x(value);
    const text = tickText(value);
    const wide = context.measureText(text).width;
    const left = Math.min(Math.max(x - wide / 2, frame.left), frame.width - wide - 2);
    if (left < end + 8) continue;
    end = left + wide;
    context.fillText(text, left, AXIS / 2);
    context.fillRect(Math.round(x), AXIS - 5, 1, 4);
  }
  context.beginPath();
  context.moveTo(0, AXIS - 0.5);
  context.lineTo(frame.width, AXIS - 0.5);
  context.stroke();
}
