// The map of a collection: dots from afar, thumbnails from near, drawn on one canvas.
// Gradio runs this once, with `element`, `props` and `trigger`. Which map there is stands in the note
// below it, as `data-map`: `watch` was seen to miss a value that came while the tab was opening.
"use strict";
const words = props.words, base = props.address;
const SIDE = 48, ACROSS = 24, EACH = ACROSS * ACROSS; // of a sheet, as in shelf.py
const THUMB = 13, FINE = 64, LARGE = 130, MOST = 240; // px: a dot below, the file above; the most; photos in a list
const still = matchMedia("(prefers-reduced-motion: reduce)");
const root = element.querySelector(".cmap");
const made = (kind, more = {}, ...inside) => {
  const node = Object.assign(document.createElement(kind), more);
  for (const [name, value] of Object.entries(more)) if (name.includes("-") || name === "role") node.setAttribute(name, value);
  node.append(...inside);
  return node;
};
const button = (text, title, act, more = {}) => made("button", { type: "button", textContent: text, title, "aria-label": title, onclick: act, ...more });

const colour = made("select", { "aria-label": words.colour });
const search = made("input", { type: "search", placeholder: words.search, "aria-label": words.search, autocomplete: "off" });
const names = made("input", { type: "checkbox", checked: true });
const lasso = button(words.lasso, words.lasso_title, () => { drawing = !drawing; lasso.setAttribute("aria-pressed", drawing); canvas.classList.toggle("drawing", drawing); }, { "aria-pressed": "false" });
const inView = button(words.in_view, words.in_view_title, () => selectView());
const canvas = made("canvas", { tabIndex: 0, "role": "application", "aria-label": words.canvas });
const tip = made("div", { className: "cmap-tip", hidden: true });
const empty = made("p", { className: "cmap-empty", textContent: words.empty });
const zoomers = made("div", { className: "cmap-zoom" },
  button("+", words.nearer, () => zoomAt(wide / 2, tall / 2, 1.6)),
  button("−", words.farther, () => zoomAt(wide / 2, tall / 2, 1 / 1.6)),
  button("⤢", words.all, () => move(home())));
const chosenBox = made("section", { className: "cmap-chosen", "aria-live": "polite" });
root.append(
  made("div", { className: "cmap-bar" }, made("label", {}, words.colour + " ", colour), search,
    made("label", {}, names, " " + words.names), lasso, inView),
  made("div", { className: "cmap-stage" }, canvas, empty, zoomers, tip),
  made("p", { className: "cmap-help", textContent: words.help }), chosenBox);
const pen = canvas.getContext("2d");

let data = null, count = 0, file = "", sheetsThere = 0;
let xs, ys, sides, from = null, morph = 1; // places in shares of the map's longer side
let wide = 1, tall = 1, dense = 1, seen = { x: .5, y: .5, zoom: 1 }, goal = null;
let order = [], chosen = [], isChosen = null, picked = -1, near = new Set(), over = -1;
let drawing = false, path = null, keyed = false, asked = false, rowAt = null;

const home = () => ({ x: .5, y: .5, zoom: Math.min(wide, tall) * .96 });
const rowOf = n => data.rows ? data.rows[n] : n;
const indexOf = row => data.rows ? (rowAt.get(row) ?? -1) : (row < count ? row : -1);
const mode = () => data && data.modes[colour.value];
const told = name => words[name] && colour.value === "right" ? words[name] : name;
const group = (which, n) => { const found = data.modes[which]; return found && found.of[n] >= 0 ? found.names[found.of[n]] : ""; };
const thumb = row => `${base}/thumbs/${row}.jpg`;

const pictures = new Map(), sheets = new Map();
function loaded(store, address, most) {
  let known = store.get(address);
  if (known) { store.delete(address); store.set(address, known); }
  else {
    known = new Image(); known.onload = () => { known.ready = true; ask(); }; known.src = address;
    store.set(address, known);
    if (store.size > most) store.delete(store.keys().next().value);
  }
  return known.ready ? known : null;
}
// Dots are written into the picture's bytes: ten times as quick as drawing each.
let bytes = null;
const rgb = text => text.startsWith("#") ? [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16)) : (text.match(/[\d.]+/g) || [255, 255, 255]).slice(0, 3).map(Number);
function stamp(size) { // how much of each pixel a dot covers
  const px = Math.ceil(size) + 1, found = new Float32Array(px * px), middle = (px - 1) / 2;
  for (let y = 0; y < px; y++) for (let x = 0; x < px; x++) found[y * px + x] = Math.min(1, Math.max(0, size / 2 + .5 - Math.hypot(x - middle, y - middle)));
  return [px, found];
}
function dotted(list, which, size, paper) {
  const across = canvas.width, down = canvas.height;
  if (!bytes || bytes.width !== across || bytes.height !== down) bytes = pen.createImageData(across, down);
  const into = bytes.data, [r, g, b] = rgb(paper), [px, covers] = stamp(size * dense), none = rgb(data.none);
  new Uint32Array(into.buffer).fill((255 << 24 | b << 16 | g << 8 | r) >>> 0);
  const shades = which ? which.colours.map(rgb) : [];
  for (const pass of isChosen ? [0, 1] : [1]) for (let k = 0; k < list.length; k += 3) {
    const n = list[k];
    if (isChosen && isChosen[n] !== pass) continue;
    const left = Math.round(list[k + 1] * dense - px / 2), top = Math.round(list[k + 2] * dense - px / 2);
    if (left < 0 || top < 0 || left + px > across || top + px > down) continue;
    const [cr, cg, cb] = which && which.of[n] >= 0 ? shades[which.of[n]] : none, strength = isChosen && !pass ? .16 : 1;
    for (let y = 0, at = (top * across + left) * 4, c = 0; y < px; y++, at += (across - px) * 4) for (let x = 0; x < px; x++, at += 4, c++) {
      const share = covers[c] * strength;
      if (!share) continue;
      into[at] += (cr - into[at]) * share; into[at + 1] += (cg - into[at + 1]) * share; into[at + 2] += (cb - into[at + 2]) * share;
    }
  }
  pen.putImageData(bytes, 0, 0);
}
const place = n => {
  const t = morph < 1 && from ? morph * morph * (3 - 2 * morph) : 1;
  const x = t < 1 ? from[0][n] + (xs[n] - from[0][n]) * t : xs[n], y = t < 1 ? from[1][n] + (ys[n] - from[1][n]) * t : ys[n];
  return [(x - seen.x) * seen.zoom + wide / 2, (y - seen.y) * seen.zoom + tall / 2, Math.min(sides[n] * seen.zoom, LARGE)];
};

function ask() { if (!asked) { asked = true; requestAnimationFrame(draw); } }
function draw() {
  asked = false;
  if (!wide || !tall) return;
  if (goal) {
    const rest = Math.abs(Math.log(goal.zoom / seen.zoom)) + Math.hypot(goal.x - seen.x, goal.y - seen.y) * seen.zoom / 400;
    const step = still.matches || rest < .004 ? 1 : .22;
    seen.zoom *= Math.pow(goal.zoom / seen.zoom, step); seen.x += (goal.x - seen.x) * step; seen.y += (goal.y - seen.y) * step;
    if (step === 1) goal = null; else ask();
  }
  if (morph < 1) { morph = still.matches ? 1 : Math.min(1, morph + .02); ask(); }
  const style = getComputedStyle(canvas), ink = style.color, paper = style.backgroundColor;
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  if (!data) { pen.clearRect(0, 0, wide, tall); return; }
  const which = mode(), shades = which ? which.colours : [], size = Math.max(2.6, Math.min(7, .75 * seen.zoom / Math.sqrt(count) / 1.3));
  const small = [], big = [];
  for (const n of order) {
    const [x, y, side] = place(n);
    if (x < -side || y < -side || x > wide + side || y > tall + side) continue;
    if (sheetsThere && side >= THUMB) big.push(n, x, y, side); else small.push(n, x, y);
  }
  dotted(small, which, size, paper);
  for (const pass of isChosen ? [0, 1] : [1]) {
    pen.globalAlpha = isChosen && !pass ? .13 : 1;
    for (let k = 0; k < big.length; k += 4) {
      const n = big[k];
      if (isChosen && isChosen[n] !== pass) continue;
      photo(n, big[k + 1], big[k + 2], big[k + 3] * .94, which, shades);
    }
  }
  pen.globalAlpha = 1;
  for (const n of near) ring(n, ink, paper, 2);
  if (over >= 0 && over !== picked) ring(over, ink, paper, 1.5);
  if (picked >= 0) ring(picked, "#d5305f", paper, 3.5);
  if (names.checked && which && colour.value !== "right") label(which, ink, paper);
  if (path) {
    pen.beginPath(); path.forEach(([x, y]) => pen.lineTo(x, y)); pen.closePath();
    pen.fillStyle = "rgba(29,90,120,.15)"; pen.fill(); pen.strokeStyle = ink; pen.lineWidth = 1.5; pen.setLineDash([5, 4]); pen.stroke(); pen.setLineDash([]);
  }
  if (keyed) {
    pen.lineWidth = 4; pen.strokeStyle = paper; cross(); pen.lineWidth = 1.5; pen.strokeStyle = ink; cross();
  }
}
function cross() {
  const x = wide / 2, y = tall / 2;
  pen.beginPath(); pen.moveTo(x - 12, y); pen.lineTo(x + 12, y); pen.moveTo(x, y - 12); pen.lineTo(x, y + 12); pen.stroke();
}
function photo(n, x, y, side, which, shades) {
  const fine = side > FINE ? loaded(pictures, thumb(rowOf(n)), 500) : null;
  const left = x - side / 2, top = y - side / 2;
  if (fine) {
    const cut = Math.min(fine.naturalWidth, fine.naturalHeight);
    pen.drawImage(fine, (fine.naturalWidth - cut) / 2, (fine.naturalHeight - cut) / 2, cut, cut, left, top, side, side);
  } else {
    const sheet = loaded(sheets, `${base}/sheets/${Math.floor(n / EACH)}.jpg`, 64), at = n % EACH;
    if (sheet) pen.drawImage(sheet, at % ACROSS * SIDE, Math.floor(at / ACROSS) * SIDE, SIDE, SIDE, left, top, side, side);
    else { pen.fillStyle = which && which.of[n] >= 0 ? shades[which.of[n]] : data.none; pen.fillRect(left, top, side, side); }
  }
  if (colour.value === "right" && which.names[which.of[n]] === "is_wrong") {
    pen.strokeStyle = shades[which.of[n]]; pen.lineWidth = 2.5; pen.strokeRect(left, top, side, side);
  }
}
function ring(n, shade, paper, width) {
  const [x, y, side] = place(n), half = Math.max(sheetsThere && side >= THUMB ? side / 2 : 0, 5) + 2.5;
  for (const [line, of] of [[width + 2.5, paper], [width, shade]]) {
    pen.strokeStyle = of; pen.lineWidth = line; pen.strokeRect(x - half, y - half, 2 * half, 2 * half);
  }
}
function label(which, ink, paper) {
  const taken = [], most = Math.max(6, Math.floor(wide * tall / 15000));
  pen.font = "12px system-ui, sans-serif"; pen.textAlign = "center"; pen.textBaseline = "middle"; pen.lineJoin = "round";
  for (let g = 0; g < which.names.length && taken.length < most; g++) {
    const n = which.centres[g];
    if (n < 0 || (isChosen && !isChosen[n])) continue;
    const [x, y] = place(n), name = which.names[g], half = pen.measureText(name).width / 2 + 5;
    if (x < half || y < 10 || x > wide - half || y > tall - 10) continue;
    if (taken.some(([a, b, h]) => Math.abs(a - x) < h + half && Math.abs(b - y) < 19)) continue;
    taken.push([x, y, half]);
    pen.globalAlpha = .86; pen.fillStyle = paper; pen.beginPath(); pen.roundRect(x - half, y - 9, 2 * half, 18, 4); pen.fill();
    pen.globalAlpha = 1; pen.fillStyle = ink; pen.fillText(name, x, y);
  }
}

// Looking around.
function held(view) {
  const least = home().zoom * .7;
  view.zoom = Math.min(Math.max(view.zoom, least), Math.max(least * 4, 150 / middleSide));
  view.x = Math.min(Math.max(view.x, 0), 1); view.y = Math.min(Math.max(view.y, 0), 1);
  return view;
}
let middleSide = .01;
function move(to) { goal = held(to); ask(); }
function zoomAt(x, y, factor, now = false) {
  const old = goal || seen, next = held({ ...old, zoom: old.zoom * factor });
  next.x = old.x + (x - wide / 2) * (1 / old.zoom - 1 / next.zoom); next.y = old.y + (y - tall / 2) * (1 / old.zoom - 1 / next.zoom);
  held(next);
  if (now) { seen = next; goal = null; ask(); } else move(next);
}
function pan(dx, dy, now = true) {
  const old = goal || seen, next = held({ ...old, x: old.x - dx / old.zoom, y: old.y - dy / old.zoom });
  if (now) { seen = next; goal = null; ask(); } else move(next);
}
function at(x, y, reach = 7) {
  let best = -1, least = Infinity;
  for (let n = 0; n < count; n++) {
    if (isChosen && !isChosen[n]) continue;
    const [a, b, side] = place(n), half = Math.max(sheetsThere && side >= THUMB ? side / 2 : 0, reach);
    const dx = Math.abs(a - x), dy = Math.abs(b - y);
    if (dx <= half && dy <= half && dx + dy < least) { least = dx + dy; best = n; }
  }
  return best;
}
function show(n, x, y) {
  tip.hidden = n < 0;
  if (n < 0) return;
  const label = group("label", n), sees = group("predicted", n), text = made("div");
  if (label) text.append(made("strong", { textContent: label }));
  if (sees) text.append(made("span", { textContent: words.sees.replace("{name}", sees).replace("{share}", data.shares[n]) }));
  text.append(made("small", { textContent: data.uris[n] }));
  tip.replaceChildren(...(sheetsThere ? [made("img", { src: thumb(rowOf(n)), alt: "" })] : []), text);
  const box = tip.getBoundingClientRect(), gap = 16;
  tip.style.left = `${Math.max(4, x + gap + box.width > wide ? x - gap - box.width : x + gap)}px`;
  tip.style.top = `${Math.max(4, y + gap + box.height > tall ? y - gap - box.height : y + gap)}px`;
}
function pick(n) {
  if (n < 0) return;
  picked = n; near = new Set(); ask();
  trigger("pick", { row: rowOf(n) });
}
function bring(n) {
  const [x, y] = place(n);
  if (x < 30 || y < 30 || x > wide - 30 || y > tall - 30) move({ ...seen, x: xs[n], y: ys[n] });
}

const pointers = new Map();
let moved = 0, spread = 0;
const spot = event => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
canvas.onpointerdown = event => {
  if (!data) return;
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, spot(event)); moved = 0; keyed = false; tip.hidden = true;
  path = pointers.size === 1 && (drawing || event.shiftKey) ? [spot(event)] : null;
};
canvas.onpointermove = event => {
  const [x, y] = spot(event), before = pointers.get(event.pointerId);
  if (!before) {
    if (event.pointerType === "touch" || !data) return;
    const n = at(x, y);
    if (n !== over) { over = n; ask(); }
    canvas.style.cursor = drawing ? "crosshair" : n >= 0 ? "pointer" : "grab";
    show(n, x, y);
    return;
  }
  const dx = x - before[0], dy = y - before[1];
  moved += Math.abs(dx) + Math.abs(dy);
  pointers.set(event.pointerId, [x, y]);
  if (pointers.size === 2) {
    const [[a, b], [c, d]] = [...pointers.values()], apart = Math.hypot(a - c, b - d);
    if (spread) zoomAt((a + c) / 2, (b + d) / 2, apart / spread, true);
    spread = apart; pan(dx / 2, dy / 2);
  } else if (path) { path.push([x, y]); ask(); }
  else if (moved > 5) pan(dx, dy);
};
canvas.onpointerup = canvas.onpointercancel = event => {
  if (!pointers.delete(event.pointerId)) return;
  spread = 0;
  const whole = path; path = null;
  if (event.type === "pointercancel" || pointers.size) return ask();
  const [x, y] = spot(event);
  if (moved <= 6) pick(at(x, y, event.pointerType === "touch" ? 16 : 7));
  else if (whole) select(inside(whole));
  ask();
};
canvas.onpointerleave = () => { over = -1; tip.hidden = true; ask(); };
canvas.addEventListener("wheel", event => {
  if (!data) return;
  event.preventDefault();
  zoomAt(...spot(event), Math.exp(-event.deltaY * (event.deltaMode ? .05 : .0018)), true);
}, { passive: false });
canvas.onkeydown = event => {
  const step = { ArrowLeft: [70, 0], ArrowRight: [-70, 0], ArrowUp: [0, 70], ArrowDown: [0, -70] }[event.key];
  if (!data || event.ctrlKey || event.metaKey || event.altKey) return;
  if (step) pan(...step, false);
  else if (event.key === "+" || event.key === "=") zoomAt(wide / 2, tall / 2, 1.5);
  else if (event.key === "-" || event.key === "_") zoomAt(wide / 2, tall / 2, 1 / 1.5);
  else if (event.key === "0" || event.key === "Home") move(home());
  else if (event.key === "Enter" || event.key === " ") pick(at(wide / 2, tall / 2, 160));
  else if (event.key === "s" || event.key === "S") selectView();
  else if (event.key === "Escape") select([]);
  else return;
  event.preventDefault();
  keyed = true; ask();
  setTimeout(() => { if (keyed) show(at(wide / 2, tall / 2, 160), wide / 2, tall / 2); }, still.matches ? 30 : 380);
};
canvas.onblur = () => { keyed = false; tip.hidden = true; ask(); };

