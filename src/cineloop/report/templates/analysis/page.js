// The parts put together.
function button(text, label, act) {
  return element("button", { type: "button", "aria-label": label, title: label, onclick: act }, text);
}

function buildToolbar() {
  const around = () => (view.at !== null && view.at >= view.from && view.at <= view.to ? view.at : (view.from + view.to) / 2);
  const events = data.events.length ? [button("⇤", say.previousEvent, () => pinNextEvent(-1)), button("⇥", say.nextEvent, () => pinNextEvent(1))] : [];
  return element(
    "div",
    { class: "toolbar", role: "toolbar", "aria-label": say.timeline },
    element("span", {}, button("+", say.zoomIn, () => zoom(0.5, around())), button("−", say.zoomOut, () => zoom(2, around()))),
    element("span", {}, button("←", say.earlier, () => move(-0.5)), button("→", say.later, () => move(0.5))),
    element("span", {}, ...events),
    element("span", {}, element("button", { type: "button", onclick: () => show(0, data.seconds) }, say.whole)),
  );
}

function buildChoice() {
  return element(
    "fieldset",
    { class: "choice" },
    element("legend", {}, say.probabilities),
    ...data.curves.map((curve) =>
      element(
        "label",
        {},
        element("input", {
          type: "checkbox",
          checked: chosenCurves.has(curve.name),
          onchange: (event) => {
            if (event.target.checked) chosenCurves.add(curve.name);
            else chosenCurves.delete(curve.name);
            refresh();
          },
        }),
        swatch(curve.colour),
        curve.title,
      ),
    ),
  );
}

function build() {
  const place = part("timeline");
  place.classList.add("on");
  const coarse = window.matchMedia("(pointer: coarse)").matches;
  place.append(element("div", { class: "own" }, buildToolbar(), element("div", { class: "stage" }, canvas, tip)));
  part("moment").append(
    element("div", { class: "moment" }, element("div", { class: "media" }, screen), told),
    ...(data.curves.length ? [buildChoice()] : []),
    element("p", { id: "timeline-help", class: "note" }, coarse ? say.touch : say.help),
  );
}

// A place that is told in a table or below a picture becomes a way to it.
function buildJumps() {
  const rows = part("events") ? [...part("events").querySelectorAll("tbody th")] : [];
  rows.forEach((cell, number) => {
    const event = data.events[number];
    cell.replaceChildren(jump(event, cell.textContent.trim()));
  });
  const figures = part("best") ? [...part("best").querySelectorAll("figure")] : [];
  figures.forEach((figure, number) => {
    const image = figure.querySelector("img"), place = data.best[number];
    const made = jump(place, "");
    image.replaceWith(made);
    made.append(image);
    made.setAttribute("aria-label", `${filled(say.goTo, { time: clock(place.at) })}: ${image.alt}`);
  });
}

function jump(place, text) {
  return element(
    "button",
    {
      type: "button",
      class: "jump",
      title: filled(say.goTo, { time: clock(place.at) }),
      onclick: () => {
        pin(place.at, place);
        part("timeline").scrollIntoView({ block: "start" });
      },
    },
    text,
  );
}

function refresh() {
  layOut();
  schedule();
}

build();
listen();
buildJumps();
whenPinned.push((at) => showMoment(at));
buildPlayer();
layOut();
const begin = data.events.find((event) => event.name === "caecum_reached") || data.events[0];
pin(begin ? begin.at : 0, begin);
draw();
new ResizeObserver(refresh).observe(canvas.parentElement);
for (const query of ["print", "(prefers-color-scheme: dark)"])
  window.matchMedia(query).addEventListener("change", () => {
    known = null;
    schedule();
  });
