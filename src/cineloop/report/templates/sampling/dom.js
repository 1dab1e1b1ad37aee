// Numbers as text, and colours.
const grouped = new Intl.NumberFormat("en-US");

function number(value, digits) {
  return value === null || Number.isNaN(value) ? "–" : value.toFixed(digits);
}

function percent(value) {
  return value === null || Number.isNaN(value) ? "–" : `${Math.round(100 * value)}%`;
}

function plural(count, noun) {
  return `${grouped.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}

// Math.max takes no hundred thousand arguments.
function greatest(values, floor = -Infinity) {
  return values.reduce((most, value) => (value > most ? value : most), floor);
}

// Round numbers from 0 up to a length, seven at most.
function evenTicks(longest, whole) {
  const rough = longest / 6, power = 10 ** Math.floor(Math.log10(rough));
  const nice = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const step = whole ? Math.max(1, nice) : nice;
  return Array.from({ length: Math.floor(longest / step + 1e-9) + 1 }, (_, at) => at * step);
}

const DASHES = ["", "7 3", "2 3", "9 3 2 3", "12 4", "4 4"];

function colourName(method) {
  return `--fig-${(method % 6) + 1}`;
}

function colourOf(method) {
  return `var(${colourName(method)})`;
}

function dashOf(method) {
  return DASHES[(method + Math.floor(method / 6)) % DASHES.length];
}

function swatch(method) {
  const line = element("line", {
    x1: 1, y1: 6, x2: 27, y2: 6, stroke: colourOf(method), "stroke-width": 3.5, "stroke-dasharray": dashOf(method),
  });
  return element("svg", { class: "swatch", width: 28, height: 12, "aria-hidden": "true" }, line);
}
