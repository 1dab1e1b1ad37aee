// The recording: files beside the page, or such as the reader opens. One player takes up the file that a moment is in.
const player = {
  film: null,
  part: -1,
  sources: data.parts.map((_, part) => (data.videos[part] ? encodeURIComponent(data.videos[part]) : null)),
};

function load(part, then) {
  player.part = part;
  if (then) player.film.addEventListener("loadedmetadata", then, { once: true });
  player.film.src = player.sources[part];
}

function present(shown) {
  player.film.hidden = !shown;
  screen.hidden = shown;
  picker.hidden = shown;
}

function buildPlayer() {
  player.film = element("video", {
    id: "film", controls: true, preload: "metadata", playsinline: true, hidden: true,
    onloadedmetadata: () => present(true),
    onerror: () => {
      player.sources[player.part] = null;
      present(false);
    },
    ontimeupdate: () => {
      if (!player.film.paused) follow();
    },
    onended: () => {
      const next = player.part + 1;
      if (player.sources[next]) load(next, () => player.film.play());
    },
  });
  screen.before(player.film);
  screen.after(picker);
  const first = player.sources.findIndex(Boolean);
  if (first >= 0) load(first);
  whenPinned.push(seek);
}

// The pinned moment goes along with what is played.
function follow() {
  view.at = data.parts[player.part].start + player.film.currentTime;
  if (view.at > view.to) show(view.at, view.at + span());
  showMoment(view.at);
  schedule();
}

function seek(at, place) {
  const part = place ? place.part : partAt(at);
  const inside = place ? place.inside : at - data.parts[part].start;
  const go = () => {
    player.film.currentTime = inside;
  };
  if (!player.sources[part]) {
    player.film.pause();
    present(false);
  } else if (part !== player.part) load(part, go);
  else if (player.film.readyState > 0) {
    present(true);
    go();
  } else player.film.addEventListener("loadedmetadata", go, { once: true });
}

function playOrPause() {
  if (player.film.hidden) return;
  if (player.film.paused) player.film.play();
  else player.film.pause();
}

// Files of the reader's: each is taken for the part that lasts as long as it does, and never leaves the browser.
const refused = element("span", { role: "status" });
const picker = element(
  "label",
  { class: "picker" },
  element("b", {}, say.open),
  element("input", {
    type: "file", id: "open", accept: "video/*,.mkv,.avi", multiple: data.parts.length > 1,
    onchange: (event) => [...event.target.files].forEach(take),
  }),
  refused,
);

function take(file) {
  const address = URL.createObjectURL(file);
  const tried = element("video", {
    preload: "metadata",
    onloadedmetadata: () => {
      const off = data.parts.map((part) => Math.abs(part.length - tried.duration));
      const part = off.indexOf(Math.min(...off));
      if (off[part] > Math.max(1, 0.02 * data.parts[part].length))
        return refuse(address, filled(say.otherFile, { time: clock(tried.duration) }));
      refused.textContent = "";
      player.sources[part] = address;
      if (part === partAt(view.at)) load(part, () => seek(view.at));
    },
    onerror: () => refuse(address, say.unplayable),
  });
  tried.src = address;
}

function refuse(address, why) {
  URL.revokeObjectURL(address);
  refused.textContent = why;
}
