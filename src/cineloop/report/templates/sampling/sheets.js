// The sampled frames of the chosen videos.
const sheetClips = [...new Set(data.sheets.map((sheet) => sheet.clip))];
let sheetClip = sheetClips[0];

function smallLine(sheet) {
  const total = data.total[sheet.clip];
  const svg = element("svg", { class: "small-line", viewBox: "0 0 1000 26", preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.append(element("rect", { x: 0, y: 4, width: 1000, height: 18, class: "track" }));
  for (let at = data.offsets[sheet.row]; at < data.offsets[sheet.row + 1]; at++)
    svg.append(element("rect", { x: ((data.frames[at] + 0.5) / total) * 1000 - 2.5, y: 0, width: 5, height: 26, fill: colourOf(sheet.method) }));
  return svg;
}

function sheetOf(sheet) {
  const pictures = sheet.pictures.map((picture, n) => {
    const frame = data.start[sheet.clip] + data.frames[data.offsets[sheet.row] + n];
    const seconds = fileSecondsOf(sheet.row, n);
    const said = `${n + 1}: frame ${frame}${seconds === null ? "" : `, ${number(seconds, 2)} s`}`;
    const image = element("img", {
      src: `data:image/jpeg;base64,${picture}`, alt: `${data.names[sheet.clip]}, ${data.methods[sheet.method]}, ${said}`,
      width: sheet.width, height: sheet.height, decoding: "async",
    });
    return element("figure", {}, image, element("figcaption", {}, said));
  });
  return element(
    "article",
    { class: "sheet" },
    element("h3", {}, swatch(sheet.method), ` ${data.methods[sheet.method]}`),
    smallLine(sheet),
    element("div", { class: "sheet-frames" }, ...pictures),
  );
}

function buildSheets() {
  const place = part("sheets");
  if (!place) return;
  const picker = element(
    "select",
    {
      id: "choose-sheet",
      onchange: (event) => {
        sheetClip = Number(event.target.value);
        buildSheets();
        document.getElementById("choose-sheet").focus();
      },
    },
    ...sheetClips.map((clip) => element("option", { value: clip, selected: clip === sheetClip }, `${data.names[clip]} (${titleOf(clip)})`)),
  );
  const shown = data.sheets.filter((sheet) => sheet.clip === sheetClip && state.methods.has(sheet.method));
  place.replaceChildren(
    element("div", { class: "control" }, element("label", { for: "choose-sheet" }, "Video"), picker),
    ...shown.map(sheetOf),
    ...(shown.length ? [] : [element("p", {}, "None of its methods is selected.")]),
  );
}
