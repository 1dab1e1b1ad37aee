// The recording, where it lies beside the page: one player, which takes up the file that a moment is in.
const player = { film: null, part: -1, ready: false };

function sourceOf(part) {
  const name = data.videos[part];
  return name ? encodeURIComponent(name) : null;
}

function load(part, then) {
  player.part = part;
  if (then) player.film.addEventListener("loadedmetadata", then, { once: true });
  player.film.src = sourceOf(part);
}

function buildPlayer() {
  const first = data.videos.findIndex(Boolean);
  if (first < 0) return;
  player.film = element("video", {
    id: "film", controls: true, preload: "metadata", playsinline: true,
    onloadedmetadata: () => {
      player.ready = true;
      player.film.hidden = false;
      still.hidden = true;
    },
    onerror: () => {
      player.film.hidden = true;
      still.hidden = false;
    },
    ontimeupdate: () => {
      if (!player.film.paused) follow();
    },
    onended: () => {
      const next = player.part + 1;
      if (next < data.parts.length && sourceOf(next)) load(next, () => player.film.play());
    },
  });
  player.film.hidden = true;
  still.before(player.film);
  load(first);
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
  const there = sourceOf(part) !== null;
  player.film.hidden = !(there && player.ready);
  still.hidden = !player.film.hidden;
  if (!there) return player.film.pause();
  const go = () => {
    player.film.currentTime = inside;
  };
  if (part !== player.part) load(part, go);
  else if (player.film.readyState > 0) go();
  else player.film.addEventListener("loadedmetadata", go, { once: true });
}

function playOrPause() {
  if (!player.ready || player.film.hidden) return;
  if (player.film.paused) player.film.play();
  else player.film.pause();
}
