// Probabilities: in each column of pixels the line from the smallest to the largest value, so that no peak is lost.
const CURVE = 42;
const chosenCurves = new Set(data.curves.filter((curve) => curve.lead).map((curve) => curve.name));

const shownCurves = () => data.curves.filter((curve) => chosenCurves.has(curve.name));

function drawCurve(context, frame, curve, top, colours) {
  const y = (level) => top + CURVE - 7 - (level / LEVELS) * (CURVE - 12);
  const colour = colours.of(`--${curve.colour}`);
  const right = frame.left + frame.width;
  context.fillStyle = colours.of("--line");
  context.fillRect(frame.left, y(0), frame.width, 1);
  if (curve.threshold !== null) {
    context.save();
    context.strokeStyle = colours.of("--faint");
    context.setLineDash([3, 4]);
    context.beginPath();
    context.moveTo(frame.left, y(curve.threshold * LEVELS));
    context.lineTo(right, y(curve.threshold * LEVELS));
    context.stroke();
    context.restore();
  }
  const { start, stop } = curve.times;
  const first = Math.max(0, placeOf(start, view.from)), last = placeOf(start, view.to);
  context.save();
  context.beginPath();
  context.rect(frame.left, top, frame.width, CURVE);
  context.clip();
  context.strokeStyle = colour;
  context.lineWidth = 1.3;
  context.lineJoin = "round";
  context.beginPath();
  if (last - first > frame.width) columns(context, frame, curve.levels, start, stop, first, last, y);
  else steps(context, frame, curve.levels, start, stop, first, last, y);
  context.stroke();
  context.restore();
}

function columns(context, frame, levels, start, stop, first, last, y) {
  let column = null, low = 0, high = 0, until = -Infinity, down = false;
  const put = () => {
    if (column === null) return;
    // A line that ends low goes on low.
    const [one, other] = down ? [low, high] : [high, low];
    if (column - until > 2) context.moveTo(column, y(one));
    else context.lineTo(column, y(one));
    context.lineTo(column, y(other));
    until = column;
  };
  for (let at = first; at <= last; at++) {
    const level = levels[at], x = Math.floor(frame.x(start[at]));
    if (x !== column) {
      put();
      down = column !== null && level !== NOTHING && Math.abs(level - low) < Math.abs(level - high);
      column = level === NOTHING ? null : x;
      low = high = level;
    } else if (level !== NOTHING) {
      low = Math.min(low, level);
      high = Math.max(high, level);
    }
  }
  put();
}

function steps(context, frame, levels, start, stop, first, last, y) {
  let until = null;
  for (let at = first; at <= last; at++) {
    if (levels[at] === NOTHING) continue;
    const next = at + 1 < start.length ? start[at + 1] : stop[at];
    const begin = frame.x(start[at]), end = frame.x(Math.min(stop[at], next)), height = y(levels[at]);
    if (until !== null && begin - until < 0.5) context.lineTo(begin, height);
    else context.moveTo(begin, height);
    context.lineTo(Math.max(end, begin + 0.5), height);
    until = end;
  }
}
