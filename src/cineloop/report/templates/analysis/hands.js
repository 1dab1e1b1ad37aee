// Pointer, wheel, fingers and keys.
const CLICK = 5;
let dragged = null;
let pinched = null;
const fingers = new Map();

function listen() {
  canvas.addEventListener("pointerdown", onDown);
  canvas.addEventListener("pointermove", onMove);
  canvas.addEventListener("pointerup", onUp);
  canvas.addEventListener("pointercancel", () => {
    fingers.clear();
    dragged = pinched = null;
    schedule();
  });
  canvas.addEventListener("pointerleave", () => showTip(null));
  canvas.addEventListener("wheel", onWheel, { passive: false });
  canvas.addEventListener("keydown", onKey);
}

function onDown(event) {
  if (event.button > 1) return;
  capture(event.pointerId);
  const { offsetX: x, offsetY: y } = event;
  if (event.pointerType === "touch") fingers.set(event.pointerId, x);
  if (fingers.size === 2) {
    pinched = { ...twoFingers(), from: view.from, wide: span() };
    dragged = null;
    return;
  }
  const onStrip = y >= layout.strip - 4;
  const kind = onStrip ? "strip" : event.pointerType === "touch" || event.shiftKey || event.button === 1 ? "move" : "select";
  dragged = { kind, start: x, now: x, y, from: view.from, moved: false };
  if (onStrip) centre(x);
  showTip(null);
}

// A pointer that leaves the canvas goes on acting on it, unless it has gone altogether.
function capture(pointer) {
  try {
    canvas.setPointerCapture(pointer);
  } catch {
    fingers.delete(pointer);
  }
}

// Where two fingers are: the middle between them, and how far apart they stand.
function twoFingers() {
  const [one, other] = [...fingers.values()];
  return { middle: (one + other) / 2, apart: Math.max(12, Math.abs(one - other)) };
}

function centre(x) {
  const frame = frameOf(), at = ((x - frame.left) / frame.width) * data.seconds;
  show(at - span() / 2, at + span() / 2);
}

function onMove(event) {
  const { offsetX: x } = event, frame = frameOf();
  if (fingers.has(event.pointerId)) fingers.set(event.pointerId, x);
  if (pinched && fingers.size === 2) {
    const now = twoFingers(), wide = (pinched.wide * pinched.apart) / now.apart;
    const held = pinched.from + ((pinched.middle - frame.left) / frame.width) * pinched.wide;
    const from = held - ((now.middle - frame.left) / frame.width) * wide;
    return show(from, from + wide);
  }
  if (!dragged) {
    const inside = x >= frame.left && x <= frame.left + frame.width;
    const over = eventUnder(x, event.offsetY);
    canvas.style.cursor = over ? "pointer" : "";
    if (event.pointerType !== "touch") showTip(over ? over.at : inside ? frame.at(x) : null, x, event.offsetY);
    return;
  }
  dragged.now = Math.max(frame.left, Math.min(frame.left + frame.width, x));
  dragged.moved ||= Math.abs(x - dragged.start) > CLICK;
  if (dragged.kind === "strip") centre(x);
  else if (dragged.kind === "move" && dragged.moved) {
    const from = dragged.from - ((x - dragged.start) / frame.width) * span();
    show(from, from + span());
  } else schedule();
}

function onUp(event) {
  fingers.delete(event.pointerId);
  const ended = dragged, frame = frameOf();
  dragged = null;
  if (pinched) {
    if (!fingers.size) pinched = null;
    return;
  }
  if (!ended || ended.kind === "strip") return;
  if (!ended.moved) {
    const over = eventUnder(ended.start, ended.y);
    const at = Math.max(view.from, Math.min(view.to, frame.at(ended.start)));
    if (over) pin(over.at, over);
    else pin(at);
  } else if (ended.kind === "select") {
    const [from, to] = [frame.at(ended.start), frame.at(ended.now)].sort((one, other) => one - other);
    show(from, to);
  }
  schedule();
}

// The page scrolls under a wheel, unless the timeline is in focus or Ctrl is held.
function onWheel(event) {
  const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
  if (!sideways && !event.ctrlKey && !event.metaKey && document.activeElement !== canvas) return;
  event.preventDefault();
  const frame = frameOf(), pixels = event.deltaMode === 1 ? 30 : 1;
  if (sideways || event.shiftKey) move(((event.deltaX || event.deltaY) * pixels) / frame.width);
  else zoom(Math.exp(Math.max(-1, Math.min(1, (event.deltaY * pixels) / (event.ctrlKey ? 100 : 300)))), frame.at(event.offsetX));
}

function onKey(event) {
  const at = view.at ?? view.from, step = span() / 100;
  const acts = {
    ArrowLeft: () => (event.shiftKey ? move(-0.25) : pin(at - step)),
    ArrowRight: () => (event.shiftKey ? move(0.25) : pin(at + step)),
    "+": () => zoom(0.5, at),
    "=": () => zoom(0.5, at),
    "-": () => zoom(2, at),
    0: () => show(0, data.seconds),
    Escape: () => show(0, data.seconds),
    Home: () => pin(0),
    End: () => pin(data.seconds),
    PageUp: () => pinNextEvent(-1),
    PageDown: () => pinNextEvent(1),
    " ": playOrPause,
  };
  if (!acts[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  acts[event.key]();
}
