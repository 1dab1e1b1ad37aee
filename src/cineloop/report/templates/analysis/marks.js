// Events: a line each, and its label where there is room; labels never lie over each other.
const LABEL = 18, MANY = 8;
const marks = { levels: 2, boxes: [] };

function placeMarks(context, frame, colours) {
  const right = frame.left + frame.width;
  const seen = data.events.filter((event) => event.at >= view.from && event.at <= view.to);
  const alarms = seen.filter((event) => event.name === "alarm");
  const wanted = [...seen.filter((event) => event.name !== "alarm"), ...(alarms.length <= MANY ? alarms : [])];
  const levels = Array.from({ length: marks.levels }, () => []);
  context.font = `600 12px ${colours.font}`;
  const placed = new Map();
  for (const event of wanted) {
    const x = frame.x(event.at), wide = context.measureText(event.label).width + 10;
    const tries = [x, x - wide].filter((begin) => begin >= frame.left - 1 && begin + wide <= right + 1);
    for (const begin of tries) {
      const level = levels.findIndex((boxes) => boxes.every(([from, to]) => begin >= to + 4 || begin + wide + 4 <= from));
      if (level < 0) continue;
      levels[level].push([begin, begin + wide]);
      placed.set(event, { level, begin, wide });
      break;
    }
  }
  return { seen, placed };
}

function drawMarks(context, frame, bottom, colours) {
  const { seen, placed } = placeMarks(context, frame, colours);
  const base = marks.levels * LABEL;
  const crowded = seen.length - placed.size > 2 * MANY;
  for (const event of seen) {
    const x = frame.x(event.at), own = placed.get(event), alarm = event.name === "alarm";
    const colour = colours.of(alarm ? "--state-alarm" : "--ink");
    context.fillStyle = colour;
    context.globalAlpha = alarm ? 0.55 : 0.8;
    // Many lines would hide the lanes; the arrows and the classifier's own lane say where they are.
    if (!crowded || own) context.fillRect(x - 0.5, own ? own.level * LABEL + 3 : base, 1, bottom - (own ? own.level * LABEL + 3 : base));
    context.globalAlpha = 1;
    context.beginPath();
    context.moveTo(x - 4.5, base - 1);
    context.lineTo(x + 4.5, base - 1);
    context.lineTo(x, base + 5);
    context.fill();
  }
  marks.boxes = [];
  context.textAlign = "left";
  context.font = `600 12px ${colours.font}`;
  for (const [event, { level, begin, wide }] of placed) {
    const top = level * LABEL + 1;
    context.fillStyle = colours.of("--paper");
    context.fillRect(begin, top, wide, LABEL - 2);
    context.fillStyle = colours.of(event.name === "alarm" ? "--state-alarm" : "--ink");
    context.fillText(event.label, begin + 5, top + LABEL / 2);
    context.fillRect(frame.x(event.at) - 0.5, top + 1, 1.5, LABEL - 3);
  }
  for (const event of seen) {
    const own = placed.get(event), x = frame.x(event.at);
    if (own) marks.boxes.push({ event, left: own.begin, right: own.begin + own.wide, top: own.level * LABEL, bottom: (own.level + 1) * LABEL });
    marks.boxes.push({ event, left: x - 7, right: x + 7, top: base - 4, bottom: base + 8 });
  }
}

function eventUnder(x, y) {
  const found = marks.boxes.find((box) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom);
  return found ? found.event : null;
}
