// Charts as SVG, drawn anew for each selection.
const WIDTH = 520, HEIGHT = 250, LEFT = 64, RIGHT = 14, TOP = 12, BOTTOM = 44;
const SPREADS = [
  ["variation", "gap CV", measures.variation, (value) => number(value, 2)],
  ["gap", "longest gap, share of the video", measures.gap, percent],
  ["gapSeconds", "longest gap, seconds", measures.gapSeconds, (value) => `${number(value, value < 10 ? 1 : 0)} s`],
  ["span", "span, share of the video", measures.span, percent],
  ["windows", "windows hit", measures.windows, percent],
].filter(([name]) => name !== "gapSeconds" || timesKnown);

function niceTop(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 8, 10].map((factor) => factor * power).find((one) => one >= value * 0.999999);
}

function plot(name, { x, y, xText, yText, xLabel, yLabel, xTicks, yTicks, alt, left = LEFT, height = HEIGHT }) {
  const px = (value) => left + ((value - x[0]) / (x[1] - x[0])) * (WIDTH - left - RIGHT);
  const py = (value) => height - BOTTOM - ((value - y[0]) / (y[1] - y[0])) * (height - BOTTOM - TOP);
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": alt, id: `chart-${name}` });
  const text = (content, at, more) => element("text", { x: at[0], y: at[1], ...more }, content);
  for (const value of yTicks || []) {
    svg.append(element("line", { x1: left, x2: WIDTH - RIGHT, y1: py(value), y2: py(value), class: "grid-line" }));
    svg.append(text(yText(value), [left - 7, py(value) + 4], { "text-anchor": "end" }));
  }
  for (const value of xTicks) {
    svg.append(element("line", { x1: px(value), x2: px(value), y1: height - BOTTOM, y2: height - BOTTOM + 4, class: "axis" }));
    svg.append(text(xText(value), [px(value), height - BOTTOM + 18], { "text-anchor": "middle" }));
  }
  svg.append(element("line", { x1: left, x2: WIDTH - RIGHT, y1: height - BOTTOM, y2: height - BOTTOM, class: "axis" }));
  svg.append(text(xLabel, [(left + WIDTH - RIGHT) / 2, height - 6], { "text-anchor": "middle", class: "label" }));
  if (yLabel)
    svg.append(
      text(yLabel, [0, 0], {
        "text-anchor": "middle", class: "label", transform: `translate(13 ${(height - BOTTOM + TOP) / 2}) rotate(-90)`,
      }),
    );
  return { svg, px, py, base: height - BOTTOM };
}

function figure(title, svg, note, more) {
  return element("figure", { class: "chart" }, element("h3", {}, title), more || null, svg, element("figcaption", {}, note));
}

function legend(methods) {
  return element(
    "ul",
    { class: "legend" },
    ...methods.map((method) => element("li", {}, swatch(method), element("span", {}, data.methods[method]))),
  );
}

function line(points, method) {
  return element("polyline", {
    points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "),
    fill: "none", stroke: colourOf(method), "stroke-width": 2.2, "stroke-dasharray": dashOf(method), "stroke-linejoin": "round",
  });
}

const quarters = [0, 0.25, 0.5, 0.75, 1];

function positionChart(selection, methods) {
  const BINS = 20;
  const lines = methods.map((method) => {
    const bins = new Float64Array(BINS);
    let count = 0;
    for (const row of selection.byMethod[method])
      for (let at = data.offsets[row]; at < data.offsets[row + 1]; at++, count++)
        bins[Math.min(BINS - 1, Math.floor((data.frames[at] / data.total[data.clip[row]]) * BINS))]++;
    return bins.map((one) => (one * BINS) / Math.max(1, count));
  });
  const top = niceTop(Math.max(1.2, ...lines.flatMap((one) => [...one])));
  const chart = plot("positions", {
    x: [0, 1], y: [0, top], xTicks: quarters, xText: percent, yTicks: [0, top / 2, top], yText: (value) => number(value, top < 3 ? 2 : 1),
    xLabel: "position in the video", yLabel: "density", alt: "Where in the video sampled frames lie, by method.",
  });
  chart.svg.append(element("line", { x1: chart.px(0), x2: chart.px(1), y1: chart.py(1), y2: chart.py(1), class: "even" }));
  methods.forEach((method, place) => {
    const points = [...lines[place]].flatMap((value, bin) => [
      [chart.px(bin / BINS), chart.py(value)], [chart.px((bin + 1) / BINS), chart.py(value)],
    ]);
    chart.svg.append(line(points, method));
  });
  return figure("Where frames lie", chart.svg, "Frame index / frames of the video, in 20 bins. 1 (dotted): everywhere alike.", legend(methods));
}

function spreadChart(selection, methods) {
  const [, label, values, text] = SPREADS.find(([name]) => name === state.spread);
  const boxes = methods.map((method) => ascending(known(values, selection.byMethod[method])));
  const top = niceTop(Math.max(...boxes.map((box) => (box.length ? box[box.length - 1] : 0))));
  const height = TOP + BOTTOM + Math.max(2, methods.length) * 38;
  const chart = plot("spread", {
    x: [0, top], y: [0, 1], xTicks: quarters.map((share) => share * top), xText: text, xLabel: label, left: 132, height,
    alt: `Box plots of ${label}, by method: ` +
      methods.map((method, place) => `${data.methods[method]} median ${boxes[place].length ? text(quantile(boxes[place], 0.5)) : "–"}`).join(", "),
  });
  methods.forEach((method, place) => {
    const box = boxes[place], y = TOP + place * 38 + 19, colour = colourOf(method);
    const name = data.methods[method].length > 17 ? `${data.methods[method].slice(0, 16)}…` : data.methods[method];
    chart.svg.append(element("text", { x: 122, y: y + 4, "text-anchor": "end" }, name));
    if (!box.length) return chart.svg.append(element("text", { x: 140, y: y + 4 }, "not defined"));
    const [low, first, middle, third, high] = [0.05, 0.25, 0.5, 0.75, 0.95].map((share) => chart.px(quantile(box, share)));
    const bar = (x, half, wide) => element("line", { x1: x, x2: x, y1: y - half, y2: y + half, stroke: colour, "stroke-width": wide });
    chart.svg.append(
      element("line", { x1: low, x2: high, y1: y, y2: y, stroke: colour, "stroke-width": 1.6 }),
      bar(low, 6, 1.6), bar(high, 6, 1.6),
      element("rect", {
        x: first, y: y - 11, width: Math.max(1, third - first), height: 22, fill: colour, "fill-opacity": 0.25, stroke: colour, "stroke-width": 1.4,
      }),
      bar(middle, 11, 3.5),
      ...[box[0], box[box.length - 1]].map((value) => element("circle", { cx: chart.px(value), cy: y, r: 2.6, fill: colour })),
    );
  });
  const picker = choice("Measure", "spread", SPREADS.map(([name, said]) => [name, said]));
  return figure(
    "How evenly, how far", chart.svg, "Each row of a method is one value. Box: quartiles and median; whiskers: 5% and 95%; dots: extremes.", picker,
  );
}

function lengthChart(selection) {
  const lengths = [...selection.clips].map((clip) => data.total[clip]);
  const top = niceTop(greatest(lengths)), BINS = 24;
  const bins = new Float64Array(BINS);
  for (const length of lengths) bins[Math.min(BINS - 1, Math.floor((length / top) * BINS))]++;
  const most = niceTop(Math.max(...bins));
  const chart = plot("lengths", {
    x: [0, top], y: [0, most], xTicks: evenTicks(top, true), xText: (value) => grouped.format(value),
    yTicks: evenTicks(most, true).filter((_, at, all) => all.length < 5 || at % 2 === 0), yText: (value) => grouped.format(value), xLabel: "frames in the video", yLabel: "videos",
    alt: "How many frames the videos have.",
  });
  bins.forEach((count, bin) => {
    const x = chart.px((bin / BINS) * top), width = chart.px(((bin + 1) / BINS) * top) - x - 1.5;
    chart.svg.append(element("rect", { x, y: chart.py(count), width, height: chart.base - chart.py(count), class: "bar" }));
  });
  const [least, longest] = [-greatest(lengths.map((one) => -one)), greatest(lengths)];
  const range = least === longest ? `of ${plural(least, "frame")}` : `of ${grouped.format(least)} to ${plural(longest, "frame")}`;
  return figure("How long the videos are", chart.svg, `${plural(lengths.length, "video")} ${range}.`);
}

function seenChart(selection, methods) {
  const lines = methods.map((method) => {
    const after = [...seenBy(selection.byMethod[method]).values()].map((seen) => seen.after);
    const longest = after.reduce((most, one) => Math.max(most, one.length), 0);
    return Array.from({ length: longest }, (_, at) => mean(after.map((one) => one[Math.min(at, one.length - 1)])));
  });
  const longest = Math.max(...lines.map((one) => one.length));
  if (longest < 2) return null;
  const top = Math.min(1, niceTop(greatest(lines.flat())));
  const step = Math.max(1, Math.ceil((longest - 1) / 6));
  const chart = plot("seen", {
    x: [1, longest], y: [0, top], xTicks: Array.from({ length: Math.floor((longest - 1) / step) + 1 }, (_, at) => 1 + at * step), xText: String,
    yTicks: [0, top / 2, top], yText: (value) => `${number(100 * value, top < 0.1 ? 1 : 0)}%`, xLabel: "rows of a video (epochs, rounds)", yLabel: "frames seen",
    alt: "The share of a video's frames that its rows show together, by method.",
  });
  methods.forEach((method, place) => {
    const points = lines[place].map((value, at) => [chart.px(at + 1), chart.py(value)]);
    chart.svg.append(line(points, method));
    const [x, y] = points[points.length - 1];
    chart.svg.append(element("circle", { cx: x, cy: y, r: 3.5, fill: colourOf(method) }));
  });
  return figure("How much is seen in the end", chart.svg, "The share of a video's frames that its first rows show together; the mean over videos.", legend(methods));
}

function buildCharts(selection) {
  const methods = [...data.methods.keys()].filter((method) => selection.byMethod[method].length);
  const focused = document.activeElement && document.activeElement.id;
  part("charts").replaceChildren(
    methods.length
      ? element(
          "div",
          { class: "charts" },
          positionChart(selection, methods), spreadChart(selection, methods), lengthChart(selection), seenChart(selection, methods),
        )
      : element("p", {}, "Nothing is selected."),
  );
  if (focused === "choose-spread") document.getElementById(focused).focus();
}
