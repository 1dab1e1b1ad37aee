// The procedure, unpacked. Times are seconds of the procedure.
const raw = JSON.parse(document.getElementById("data").textContent);
const say = raw.words;

function steady(text) {
  return summed(summed(unpack(text)));
}

function seconds(milliseconds) {
  return milliseconds.map((one) => one / 1000);
}

function octets(text) {
  const letters = atob(text), found = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) found[at] = letters.charCodeAt(at);
  return found;
}

const NOTHING = 255, LEVELS = 254;

const data = (() => {
  const rows = { start: seconds(steady(raw.rows.start)), frame: steady(raw.rows.frame), end: raw.rows.end / 1000 };
  rows.stop = Float64Array.from(rows.start, (_, at) => (at + 1 < rows.start.length ? rows.start[at + 1] : rows.end));
  const windows = raw.windows && { start: seconds(steady(raw.windows.start)), stop: seconds(steady(raw.windows.stop)) };
  return {
    seconds: raw.seconds,
    rows,
    lanes: raw.lanes.map((lane) => {
      const start = seconds(summed(unpack(lane.start)));
      const length = seconds(unpack(lane.length));
      return { ...lane, start, stop: start.map((one, at) => one + length[at]), state: unpack(lane.state) };
    }),
    curves: raw.curves.map((curve) => ({
      ...curve,
      levels: octets(curve.levels),
      times: curve.of === "rows" ? rows : windows,
    })),
    events: raw.events.map(({ at: [at, part, inside], ...event }) => ({ ...event, at, part, inside })),
    best: raw.best.map(([at, part, inside]) => ({ at, part, inside })),
    parts: raw.parts.map(([start, length]) => ({ start, length })),
    gaps: raw.gaps,
    videos: raw.videos,
    pictures: raw.thumbnails,
  };
})();

// The last place whose value is not above the wanted one; -1 before the first.
function placeOf(values, wanted) {
  let low = 0, high = values.length;
  while (low < high) {
    const half = (low + high) >> 1;
    if (values[half] <= wanted) low = half + 1;
    else high = half;
  }
  return low - 1;
}

function inGap(at) {
  return data.gaps.some(([start, end]) => at >= start && at < end);
}

// What a lane says at a moment: the place of a state, or -1.
function stateAt(lane, at) {
  const place = placeOf(lane.start, at);
  return place >= 0 && at < lane.stop[place] ? lane.state[place] : -1;
}

// The row or window that holds at a moment, or -1.
function holderAt(times, at) {
  const place = placeOf(times.start, at);
  return place >= 0 && at < times.stop[place] ? place : -1;
}

function partAt(at) {
  return Math.max(0, placeOf(data.parts.map((part) => part.start), at + 1e-6));
}

// Pictures are taken at a steady pace where they may be; one stands for no moment further away.
const pictured = data.pictures.map(([time]) => time);
const reach = (() => {
  const apart = pictured.slice(1).map((time, at) => time - pictured[at]).sort((one, other) => one - other);
  return apart.length ? 1.2 * apart[apart.length >> 1] : 60;
})();

// The small picture whose time is nearest, or null.
function pictureAt(at) {
  const place = placeOf(pictured, at);
  const near = [place, place + 1].filter((one) => one >= 0 && one < pictured.length && Math.abs(pictured[one] - at) <= reach);
  if (!near.length) return null;
  const best = near.reduce((one, other) => (Math.abs(pictured[other] - at) < Math.abs(pictured[one] - at) ? other : one));
  return { time: pictured[best], source: `data:image/jpeg;base64,${data.pictures[best][1]}` };
}
