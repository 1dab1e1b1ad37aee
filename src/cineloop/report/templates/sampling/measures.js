// The measures of every row, and their summary by method and split; docs/sampling.md defines them.
const measures = (() => {
  const of = () => new Float64Array(data.rows).fill(NaN);
  const found = { span: of(), windows: of(), gap: of(), gapSeconds: of(), variation: of(), repeats: of() };
  for (let row = 0; row < data.rows; row++) {
    const from = data.offsets[row], to = data.offsets[row + 1], count = to - from;
    if (!count) continue;
    const total = data.total[data.clip[row]];
    let frames = data.frames.subarray(from, to);
    for (let at = 1; at < count; at++)
      if (frames[at] < frames[at - 1]) {
        frames = frames.slice().sort();
        break;
      }
    let gap = Math.max(frames[0], total - 1 - frames[count - 1]), windows = 1, repeats = 0;
    for (let at = 1; at < count; at++) {
      const step = frames[at] - frames[at - 1];
      gap = Math.max(gap, step - 1);
      repeats += step === 0;
      windows += Math.floor((frames[at] * count) / total) > Math.floor((frames[at - 1] * count) / total);
    }
    found.span[row] = (frames[count - 1] - frames[0] + 1) / total;
    found.windows[row] = windows / count;
    found.gap[row] = gap / total;
    const step = data.step[data.clip[row]];
    if (step !== null) found.gapSeconds[row] = gap * step;
    found.repeats[row] = repeats;
    const mean = (frames[count - 1] - frames[0]) / (count - 1);
    if (count > 1 && mean > 0) {
      let squares = 0;
      for (let at = 1; at < count; at++) squares += (frames[at] - frames[at - 1] - mean) ** 2;
      found.variation[row] = Math.sqrt(squares / (count - 1)) / mean;
    }
  }
  return found;
})();

function known(values, rows) {
  const found = [];
  for (const row of rows) if (!Number.isNaN(values[row])) found.push(values[row]);
  return found;
}

function mean(values) {
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
}

function quantile(sorted, share) {
  if (!sorted.length) return null;
  const at = (sorted.length - 1) * share, low = Math.floor(at);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (at - low);
}

function ascending(values) {
  return Float64Array.from(values).sort();
}

// For each clip of some rows of one method: how many different frames they show, after each row.
function seenBy(rows) {
  const byClip = new Map();
  for (const row of rows) {
    const clip = data.clip[row];
    if (!byClip.has(clip)) byClip.set(clip, { frames: new Set(), after: [] });
    const seen = byClip.get(clip);
    for (let at = data.offsets[row]; at < data.offsets[row + 1]; at++) seen.frames.add(data.frames[at]);
    seen.after.push(seen.frames.size / data.total[clip]);
  }
  return byClip;
}

function summarise(rows) {
  const median = (values) => quantile(ascending(values), 0.5);
  return {
    rows: rows.length,
    videos: new Set(rows.map((row) => data.clip[row])).size,
    frames: mean(rows.map((row) => data.counts[row])),
    span: mean(known(measures.span, rows)),
    windows: mean(known(measures.windows, rows)),
    gap: median(known(measures.gap, rows)),
    gapSeconds: median(known(measures.gapSeconds, rows)),
    variation: median(known(measures.variation, rows)),
    repeated: rows.filter((row) => measures.repeats[row] > 0).length / rows.length,
    distinct: mean([...seenBy(rows).values()].map((seen) => seen.after[seen.after.length - 1])),
  };
}
