// The table of samples, unpacked: a row is one sample, a clip is one video (or piece of one) in one split.
const raw = JSON.parse(document.getElementById("data").textContent);

function summedWithin(values, offsets) {
  for (let row = 0; row + 1 < offsets.length; row++)
    for (let at = offsets[row] + 1; at < offsets[row + 1]; at++) values[at] += values[at - 1];
  return values;
}

function offsetsOf(counts) {
  const found = new Float64Array(counts.length + 1);
  for (let at = 0; at < counts.length; at++) found[at + 1] = found[at] + counts[at];
  return found;
}

const data = (() => {
  const counts = summed(unpack(raw.count));
  const offsets = offsetsOf(counts);
  const timedRows = summed(unpack(raw.timedRows));
  const timedAt = new Map();
  let at = 0;
  for (const row of timedRows) {
    timedAt.set(row, at);
    at += counts[row];
  }
  const timedOffsets = offsetsOf(Array.from(timedRows, (row) => counts[row]));
  return {
    methods: raw.methods,
    notes: raw.notes,
    splits: raw.splits,
    labels: raw.labels,
    names: raw.names,
    label: unpack(raw.label),
    clipSplit: unpack(raw.clipSplit),
    total: unpack(raw.total),
    start: unpack(raw.start),
    step: raw.step,
    begin: raw.at.length ? raw.at : raw.step.map(() => 0),
    method: summed(unpack(raw.method)),
    clip: summed(unpack(raw.clip)),
    round: summed(unpack(raw.round)),
    epoch: summed(unpack(raw.epoch)),
    view: summed(unpack(raw.view)),
    counts,
    offsets,
    frames: summedWithin(unpack(raw.indices), offsets),
    milliseconds: summedWithin(unpack(raw.milliseconds), timedOffsets),
    timedAt,
    sheets: raw.sheets,
    rows: counts.length,
    clips: raw.names.length,
  };
})();

// When a row's n-th frame is shown, in seconds from the beginning of its clip; null where that is not known.
function secondsOf(row, n) {
  const clip = data.clip[row];
  const timed = data.timedAt.get(row);
  if (timed !== undefined) return data.milliseconds[timed + n] / 1000 - data.begin[clip];
  const step = data.step[clip];
  return step === null ? null : data.frames[data.offsets[row] + n] * step;
}

// The same in seconds of the file, as records tell it.
function fileSecondsOf(row, n) {
  const seconds = secondsOf(row, n);
  return seconds === null ? null : seconds + data.begin[data.clip[row]];
}

function lengthOf(clip) {
  return data.step[clip] === null ? null : data.total[clip] * data.step[clip];
}

const timesKnown = data.step.some((step) => step !== null);
