// Which stretch of the procedure is in sight, and which moment is pinned.
const LEAST = Math.min(data.seconds, 2);
const view = { from: 0, to: data.seconds, at: null, hover: null };
const whenPinned = [];

const span = () => view.to - view.from;

function show(from, to) {
  const wide = Math.min(data.seconds, Math.max(LEAST, to - from));
  view.from = Math.max(0, Math.min(data.seconds - wide, from + (to - from - wide) / 2));
  view.to = view.from + wide;
  schedule();
}

// What lies at `around` stays where it is.
function zoom(factor, around) {
  const wide = Math.min(data.seconds, Math.max(LEAST, span() * factor));
  const from = around - ((around - view.from) / span()) * wide;
  show(from, from + wide);
}

function move(share) {
  show(view.from + share * span(), view.to + share * span());
}

// Pins a moment; brings it into sight where it is not.
function pin(at, place) {
  // The end is past the last moment of which something is known.
  view.at = Math.max(0, Math.min(data.seconds - 0.001, at));
  if (view.at < view.from || view.at > view.to) show(view.at - span() / 2, view.at + span() / 2);
  for (const told of whenPinned) told(view.at, place);
  schedule();
}

function pinNextEvent(way) {
  const from = view.at ?? (way > 0 ? view.from : view.to);
  const order = way > 0 ? data.events : [...data.events].reverse();
  const next = order.find((event) => (event.at - from) * way > 0.05);
  if (next) pin(next.at, next);
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
  // A page that is not in sight has no animation frames, and may be looked at all the same.
  setTimeout(once, 60);
}
