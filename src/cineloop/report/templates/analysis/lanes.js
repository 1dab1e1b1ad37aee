// Lanes: what is ordinary below, what is notable above and never thinner than can be seen.
const BAR = 20;

function drawLane(context, frame, lane, top, colours) {
  const right = frame.left + frame.width;
  context.fillStyle = colours.of("--tint");
  context.fillRect(frame.left, top, frame.width, BAR);
  const first = Math.max(0, placeOf(lane.start, view.from)), last = placeOf(lane.start, view.to);
  const quiet = lane.states.map(([, colour]) => colour === "state-quiet");
  for (const notable of [false, true]) {
    const ends = lane.states.map(() => -Infinity);
    for (let at = first; at <= last; at++) {
      const state = lane.state[at];
      if (quiet[state] === notable) continue;
      const begin = Math.max(frame.left, frame.x(lane.start[at]));
      const end = Math.min(right, Math.max(frame.x(lane.stop[at]), begin + (notable ? 1.5 : 0)));
      // Of pieces that share a pixel one is enough.
      if (end <= ends[state]) continue;
      context.fillStyle = colours.of(`--${lane.states[state][1]}`);
      context.fillRect(Math.max(begin, ends[state]), top, end - Math.max(begin, ends[state]), BAR);
      ends[state] = end;
      if (end - begin > 44) nameInside(context, lane.states[state], begin, end, top, colours);
    }
  }
}

function nameInside(context, [label, colour], begin, end, top, colours) {
  if (colour === "state-quiet") return;
  context.font = `600 11.5px ${colours.font}`;
  if (context.measureText(label).width > end - begin - 10) return;
  context.fillStyle = colours.of(`--on-${colour}`) || colours.of("--on-state");
  context.textAlign = "left";
  context.fillText(label, begin + 6, top + BAR / 2 + 0.5);
}

// Stretches that could not be decoded are hatched across all lanes.
function drawGaps(context, frame, top, bottom, colours) {
  context.save();
  context.strokeStyle = colours.of("--faint");
  context.lineWidth = 1;
  for (const [start, end] of data.gaps) {
    const begin = Math.max(frame.left, frame.x(start)), stop = Math.min(frame.left + frame.width, Math.max(frame.x(end), frame.x(start) + 1.5));
    if (stop <= begin) continue;
    context.save();
    context.beginPath();
    context.rect(begin, top, stop - begin, bottom - top);
    context.clip();
    context.beginPath();
    for (let x = begin - (bottom - top); x < stop; x += 5) {
      context.moveTo(x, bottom);
      context.lineTo(x + bottom - top, top);
    }
    context.stroke();
    context.restore();
  }
  context.restore();
}

function drawAxis(context, frame, top, bottom, colours) {
  context.font = `12px ${colours.font}`;
  const wide = context.measureText("00:00:00.0").width + (layout.narrow ? 30 : 14);
  const step = stepOf(span(), Math.max(2, Math.floor(frame.width / wide)));
  context.textAlign = "left";
  let free = -Infinity;
  for (let number = Math.ceil(view.from / step - 1e-9); number * step <= view.to + 1e-9; number++) {
    const x = frame.x(number * step);
    context.fillStyle = colours.of("--line");
    context.fillRect(Math.round(x), top, 1, bottom - top + 4);
    context.fillStyle = colours.of("--soft");
    const text = clock(number * step, step < 1), long = context.measureText(text).width;
    const begin = Math.max(0, Math.min(frame.left + frame.width - long, x - long / 2));
    if (begin < free) continue;
    context.fillText(text, begin, bottom + AXIS / 2 + 2);
    free = begin + long + 10;
  }
}
