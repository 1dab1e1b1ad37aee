// What is known of a moment, in words and as a picture: beside the pointer, and pinned below.
function factsAt(at) {
  if (inGap(at)) return { states: [], probabilities: [], gap: true };
  const states = data.lanes
    .map((lane) => ({ lane, state: stateAt(lane, at) }))
    .filter(({ state }) => state >= 0)
    .map(({ lane, state }) => ({ title: lane.title, label: lane.states[state][0], colour: lane.states[state][1] }));
  const probabilities = data.curves
    .map((curve) => ({ curve, place: holderAt(curve.times, at) }))
    .filter(({ curve, place }) => place >= 0 && curve.levels[place] !== NOTHING)
    .map(({ curve, place }) => ({ curve, value: curve.levels[place] / LEVELS }));
  return { states, probabilities, gap: false };
}

function frameAt(at) {
  const row = holderAt(data.rows, at);
  return row < 0 || inGap(at) ? null : data.rows.frame[row];
}

function inWords(at) {
  const { states, gap } = factsAt(at);
  const said = gap ? [say.notDecoded] : states.map(({ title, label }) => `${title}: ${label}`);
  return [clock(at, true), ...(said.length ? said : [say.nothing])].join(", ");
}

function swatch(colour) {
  return element("i", { class: "dot", style: `--key:var(--${colour})`, "aria-hidden": "true" });
}

function pictureOf(at) {
  const picture = pictureAt(at);
  if (!picture) return null;
  const text = filled(say.pictureAt, { time: clock(picture.time) });
  return element("figure", {}, element("img", { src: picture.source, alt: "" }), element("figcaption", {}, text));
}

// Where a moment is: its time, its frame, and where in which file.
function whereIs(at) {
  const frame = frameAt(at), part = partAt(at), said = [];
  if (frame !== null) said.push(filled(say.frame, { n: frame.toLocaleString("en-US") }));
  if (data.parts.length > 1) said.push(filled(say.inPart, { n: part + 1, time: clock(at - data.parts[part].start) }));
  return said.join(" · ");
}

function statesOf({ states, gap }) {
  if (gap || !states.length) return element("p", { class: "quiet" }, gap ? say.notDecoded : say.nothing);
  return element(
    "dl",
    { class: "states" },
    ...states.map(({ title, label, colour }) =>
      element("div", {}, element("dt", {}, title), element("dd", {}, swatch(colour), label)),
    ),
  );
}

function probabilitiesOf({ probabilities }) {
  return element(
    "dl",
    { class: "chances" },
    ...probabilities.map(({ curve, value }) =>
      element(
        "div",
        { style: `--key:var(--${curve.colour});--share:${(100 * value).toFixed(1)}%` },
        element("dt", {}, curve.title),
        element(
          "dd",
          {},
          element(
            "span",
            { class: "rail", "aria-hidden": "true" },
            curve.threshold === null ? null : element("i", { style: `left:${(100 * curve.threshold).toFixed(1)}%` }),
          ),
          element("b", {}, value.toFixed(2)),
        ),
      ),
    ),
  );
}

const tip = element("div", { id: "tip", hidden: true });

// Over the lanes it stands on the curves, over the curves on the lanes: what is pointed at stays in sight.
function showTip(at, x, y) {
  view.hover = at;
  tip.hidden = at === null;
  if (at === null) return schedule();
  const facts = factsAt(at), shown = new Set(shownCurves());
  const chances = facts.probabilities
    .filter(({ curve }) => shown.has(curve))
    .map(({ curve, value }) => element("div", {}, element("dt", {}, curve.title), element("dd", {}, value.toFixed(2))));
  tip.replaceChildren(
    ...[pictureOf(at)].filter(Boolean),
    element(
      "div",
      {},
      element("p", { class: "when" }, clock(at, true), " ", element("small", {}, whereIs(at))),
      statesOf(facts),
      chances.length ? element("dl", { class: "states chance" }, ...chances) : null,
    ),
  );
  const wide = tip.offsetWidth, room = tip.parentElement.clientWidth;
  const below = layout.axis + AXIS + 2;
  tip.style.top = `${y < below ? below : Math.max(0, layout.axis - tip.offsetHeight)}px`;
  tip.style.left = `${x + 18 + wide <= room ? x + 18 : Math.max(0, x - 18 - wide)}px`;
  schedule();
}

const screen = element("div", { class: "screen" });
const told = element("div", { class: "told" });

function showMoment(at) {
  const facts = factsAt(at), picture = pictureOf(at);
  screen.replaceChildren(...[picture].filter(Boolean));
  told.replaceChildren(
    element("h3", {}, clock(at, true), " ", element("small", {}, whereIs(at))),
    statesOf(facts),
    probabilitiesOf(facts),
  );
  canvas.setAttribute("aria-valuenow", Math.round(at));
  canvas.setAttribute("aria-valuetext", inWords(at));
}
