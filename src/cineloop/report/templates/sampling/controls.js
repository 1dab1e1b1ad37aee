// What is selected, and the controls that say so.
const rounds = [...new Set(data.round)].sort((one, other) => one - other);
const epochs = [...new Set(data.epoch)].filter((epoch) => epoch > 0).sort((one, other) => one - other);

const initial = () => ({
  methods: new Set(data.methods.keys()),
  splits: new Set(data.splits.keys()),
  label: "all",
  rounds: "all",
  epoch: "all",
  search: "",
  sort: "split",
  axis: "share",
  spread: "variation",
});
let state = initial();
const listeners = [];

function change(changes) {
  Object.assign(state, changes);
  refresh();
}

// The rows under the selection, by method, and the clips that they are of.
function select() {
  const words = state.search.trim().toLowerCase();
  const shown = new Uint8Array(data.clips);
  for (let clip = 0; clip < data.clips; clip++)
    shown[clip] =
      state.splits.has(data.clipSplit[clip]) &&
      (state.label === "all" || data.label[clip] === Number(state.label)) &&
      (!words || data.names[clip].toLowerCase().includes(words));
  const byMethod = data.methods.map(() => []);
  const clips = new Set();
  for (let row = 0; row < data.rows; row++) {
    const round = data.round[row], epoch = data.epoch[row];
    if (!shown[data.clip[row]] || !state.methods.has(data.method[row])) continue;
    if (state.rounds === "rounds" ? !round : state.rounds !== "all" && round !== Number(state.rounds)) continue;
    if (state.epoch !== "all" && epoch && epoch !== Number(state.epoch)) continue;
    byMethod[data.method[row]].push(row);
    clips.add(data.clip[row]);
  }
  return { byMethod, clips };
}

function choice(label, name, options) {
  const made = element(
    "select",
    { id: `choose-${name}`, onchange: (event) => change({ [name]: event.target.value }) },
    ...options.map(([value, text]) => element("option", { value, selected: String(state[name]) === String(value) }, text)),
  );
  return element("div", { class: "control" }, element("label", { for: made.id }, label), made);
}

function checks(title, name, names, mark) {
  return element(
    "fieldset",
    { class: "control" },
    element("legend", {}, title),
    ...names.map((text, place) =>
      element(
        "label",
        { class: "check", title: (name === "methods" && data.notes[text]) || null },
        element("input", {
          type: "checkbox",
          name,
          value: place,
          checked: state[name].has(place),
          onchange: (event) => {
            const chosen = new Set(state[name]);
            if (event.target.checked) chosen.add(place);
            else chosen.delete(place);
            change({ [name]: chosen });
          },
        }),
        mark ? mark(place) : null,
        element("span", {}, text),
      ),
    ),
  );
}

function buildControls() {
  const place = part("controls");
  const search = element("input", {
    type: "search", id: "choose-search", placeholder: "part of a name", autocomplete: "off", spellcheck: "false",
    oninput: (event) => change({ search: event.target.value }),
  });
  const unlabelled = data.label.some((label) => label < 0);
  const all = rounds.length > 1 ? [["all", "originals and rounds"]] : [["all", "originals"]];
  place.replaceChildren(
    checks("Methods", "methods", data.methods, swatch),
    element(
      "div",
      { class: "controls" },
      checks("Splits", "splits", data.splits),
      data.labels.length
        ? choice("Class", "label", [
            ["all", "all classes"],
            ...data.labels.map((label, number) => [number, label]),
            ...(unlabelled ? [[-1, "not known"]] : []),
          ])
        : null,
      rounds.length > 1
        ? choice("Rows", "rounds", [
            ...all,
            [0, "originals only"],
            ["rounds", "rounds only"],
            ...rounds.filter((round) => round > 0).map((round) => [round, `round ${round}`]),
          ])
        : null,
      epochs.length > 1
        ? choice("Epoch", "epoch", [["all", "all epochs"], ...epochs.map((epoch) => [epoch, `epoch ${epoch}`])])
        : null,
      element("div", { class: "control" }, element("label", { for: "choose-search" }, "Video"), search),
      element(
        "button",
        {
          type: "button",
          id: "reset",
          onclick: () => {
            state = initial();
            buildControls();
            buildTimelineControls();
            refresh();
            document.getElementById("reset").focus();
          },
        },
        "Show all",
      ),
    ),
    element("p", { id: "status", role: "status", class: "status" }),
  );
}

function sayStatus(selection) {
  const rows = selection.byMethod.flat();
  let frames = 0;
  for (const row of rows) frames += data.counts[row];
  const list = (names, chosen) => names.filter((_, place) => chosen.has(place)).join(", ") || "none";
  const said = [
    `${grouped.format(selection.clips.size)} of ${plural(data.clips, "video")}`,
    `${grouped.format(rows.length)} of ${plural(data.rows, "row")}`,
    plural(frames, "sampled frame"),
    `methods: ${list(data.methods, state.methods)}`,
    `splits: ${list(data.splits, state.splits)}`,
  ];
  document.getElementById("status").textContent = `${said.join(" · ")}.`;
}
