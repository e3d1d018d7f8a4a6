// The second half of collection_map.js: choosing several photos, and what comes from the server.

// Choosing several.
function inside(line) {
  const found = [];
  for (let n = 0; n < count; n++) {
    const [x, y] = place(n);
    let within = false;
    for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
      const [a, b] = line[i], [c, d] = line[j];
      if ((b > y) !== (d > y) && x < (c - a) * (y - b) / (d - b) + a) within = !within;
    }
    if (within) found.push(n);
  }
  return found;
}
function selectView() {
  if (!data) return;
  const found = [];
  for (let n = 0; n < count; n++) { const [x, y] = place(n); if (x >= 0 && y >= 0 && x <= wide && y <= tall) found.push(n); }
  select(found);
}
function select(rows) {
  chosen = rows;
  isChosen = rows.length ? new Uint8Array(count) : null;
  for (const n of rows) isChosen[n] = 1;
  list(MOST); ask();
}
function list(most) {
  chosenBox.replaceChildren();
  const which = mode();
  if (!chosen.length) return;
  const head = made("div", { className: "cmap-counts" }, made("strong", { textContent: (chosen.length === 1 ? words.chosen_one : words.chosen).replace("{count}", chosen.length.toLocaleString()) }));
  if (which) {
    const sizes = new Map();
    for (const n of chosen) sizes.set(which.of[n], (sizes.get(which.of[n]) || 0) + 1);
    const sorted = [...sizes].sort((a, b) => b[1] - a[1]);
    for (const [g, size] of sorted.slice(0, 14)) {
      const name = g < 0 ? words.none : told(which.names[g]), dotted = made("i");
      dotted.style.background = g < 0 ? data.none : which.colours[g];
      head.append(made("button", { type: "button", title: words.only.replace("{name}", name), onclick: () => select(chosen.filter(n => which.of[n] === g)) }, dotted, name + " ", made("b", { textContent: size.toLocaleString() })));
    }
    if (sorted.length > 14) head.append(made("span", { textContent: words.more.replace("{count}", sorted.length - 14) }));
  }
  head.append(made("button", { type: "button", className: "clear", textContent: words.clear, onclick: () => { search.value = ""; select([]); } }));
  if (chosen.some(n => group("right", n) === "is_wrong")) head.append(made("small", { textContent: words.framed }));
  const grid = made("div", { className: "cmap-photos" });
  for (const n of chosen.slice(0, most)) {
    const name = [group("label", n), data.uris[n]].filter(Boolean).join(" · ");
    const one = made("button", { type: "button", title: name, "aria-label": name, onclick: () => { pick(n); bring(n); } });
    if (sheetsThere) one.append(made("img", { loading: "lazy", src: thumb(rowOf(n)), alt: "" }));
    if (group("right", n) === "is_wrong") one.className = "wrong";
    grid.append(one);
  }
  chosenBox.append(head, grid);
  if (chosen.length > most) chosenBox.append(button(words.more.replace("{count}", (chosen.length - most).toLocaleString()), words.more.replace("{count}", chosen.length - most), () => list(most + MOST)));
}
let waiting = 0;
search.oninput = () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const wanted = search.value.trim().toLowerCase(), found = [];
    if (data && wanted) for (let n = 0; n < count; n++) {
      if (`${group("label", n)}\n${group("predicted", n)}\n${data.uris[n]}`.toLowerCase().includes(wanted)) found.push(n);
    }
    select(found);
  }, 200);
};
colour.onchange = () => { list(MOST); ask(); };
names.onchange = ask;

// What comes from the server.
function centres(which) { // of each group the point nearest to its median
  const members = which.names.map(() => []);
  which.of.forEach((g, n) => { if (g >= 0) members[g].push(n); });
  return members.map(all => {
    if (!all.length) return -1;
    const mid = values => { const sorted = all.map(n => values[n]).sort((a, b) => a - b); return sorted[sorted.length >> 1]; };
    const x = mid(xs), y = mid(ys);
    return all.reduce((best, n) => Math.hypot(xs[n] - x, ys[n] - y) < Math.hypot(xs[best] - x, ys[best] - y) ? n : best, all[0]);
  });
}
function take(next) {
  const size = next.places.length / 3, old = data && count === size ? [xs, ys] : null;
  let right = 0, down = 0;
  for (let n = 0; n < size; n++) {
    right = Math.max(right, next.places[3 * n] + next.places[3 * n + 2] / 2);
    down = Math.max(down, next.places[3 * n + 1] + next.places[3 * n + 2] / 2);
  }
  const span = Math.max(right, down) || 1, dx = (span - right) / 2, dy = (span - down) / 2;
  xs = new Float32Array(size); ys = new Float32Array(size); sides = new Float32Array(size);
  for (let n = 0; n < size; n++) {
    xs[n] = (next.places[3 * n] + dx) / span; ys[n] = (next.places[3 * n + 1] + dy) / span; sides[n] = next.places[3 * n + 2] / span;
  }
  middleSide = Float32Array.from(sides).sort()[size >> 1] || .01;
  data = next; count = size; from = old; morph = old ? 0 : 1;
  rowAt = data.rows && new Map(data.rows.map((row, n) => [row, n]));
  if (!old) {
    order = [...Array(size).keys()]; // a fixed shuffle: else one group would cover another
    for (let n = size - 1, mix = 1; n > 0; n--) { mix = (mix * 48271) % 2147483647; const other = mix % (n + 1); [order[n], order[other]] = [order[other], order[n]]; }
    chosen = []; isChosen = null; picked = -1; near = new Set();
  }
  for (const which of Object.values(data.modes)) which.centres = centres(which);
  const before = colour.value;
  colour.replaceChildren(...Object.keys(data.modes).map(name => made("option", { value: name, textContent: words[name] })));
  if (data.modes[before]) colour.value = before;
  colour.parentNode.hidden = !Object.keys(data.modes).length;
  empty.hidden = true; seen = home(); goal = null;
  root.dataset.ready = file; list(MOST); ask();
}
function carried() {
  const note = document.querySelector("[data-map]");
  return note && JSON.parse(note.dataset.map);
}
async function receive() {
  const value = carried();
  if (!value || (value.file === file && value.sheets === sheetsThere)) return;
  const there = value.sheets || 0, changed = there !== sheetsThere;
  sheetsThere = there;
  if (value.file !== file) {
    file = value.file;
    const answer = await fetch(`${base}/${value.file}`).catch(() => null);
    if (!answer?.ok) { file = ""; setTimeout(receive, 2000); return; }
    const next = await answer.json();
    if (file === value.file) take(next);
  } else if (changed) list(MOST);
  root.dataset.sheets = sheetsThere;
  ask();
}
new MutationObserver(receive).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-map"] });
receive();
document.addEventListener("pellucid-near", event => {
  if (!data) return;
  picked = event.detail.row === null ? -1 : indexOf(event.detail.row);
  near = new Set(event.detail.near.map(indexOf).filter(n => n >= 0));
  if (picked >= 0) bring(picked);
  ask();
});
new ResizeObserver(() => {
  const old = Math.min(wide, tall);
  wide = canvas.clientWidth; tall = canvas.clientHeight; dense = Math.min(window.devicePixelRatio || 1, 2);
  canvas.width = wide * dense; canvas.height = tall * dense;
  if (data && wide && old > 1) seen.zoom *= Math.min(wide, tall) / old; else seen = home();
  goal = null; draw();
}).observe(canvas);
new MutationObserver(ask).observe(document.body, { attributes: true, attributeFilter: ["class"] });
new IntersectionObserver((entries, watcher) => {
  if (entries.some(one => one.isIntersecting)) { watcher.disconnect(); if (!carried()) trigger("begin"); }
}).observe(canvas);
