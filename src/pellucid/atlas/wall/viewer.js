// The wall's viewer: tiles drawn on a canvas, on the grid or scattered as on the map.
// Opened from a file: so all images are <img>, and nothing is fetched.
"use strict";
(() => {
  const wall = window.WALL, words = wall.words, count = wall.at.length;
  const find = (id) => document.getElementById(id);
  const canvas = find("wall"), pen = canvas.getContext("2d"), veil = document.createElement("canvas");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const rows = new Float32Array(count), columns = new Float32Array(count);
  const board = new Map();
  wall.at.forEach((place, n) => {
    rows[n] = Math.floor(place / wall.columns); columns[n] = place % wall.columns;
    board.set(place, n);
  });
  const empty = [];
  for (let place = 0; place < wall.rows * wall.columns; place++) if (!board.has(place)) empty.push(place);
  const extent = [
    [wall.columns, wall.rows],
    wall.map.reduce(([x, y], [cx, cy, side]) => [Math.max(x, cx + side / 2), Math.max(y, cy + side / 2)], [0, 0]),
  ];

  // What is seen: the point in the middle, and CSS pixels for each unit. `goal` is where it moves to.
  let wide = 1, tall = 1, dense = 1, paper = "#fff", ink = "#000", accent = "#06c";
  let seen = { x: 0, y: 0, zoom: 1 }, goal = { ...seen };
  let layout = 0, morph = 0; // 0 the grid, 1 the map
  let hits = null, hit = -1, over = -1, pinned = -1, asked = false;

  function side(n) { return 1 + morph * (wall.map[n][2] - 1); }
  function left(n) { return columns[n] + morph * (wall.map[n][0] - wall.map[n][2] / 2 - columns[n]); }
  function top(n) { return rows[n] + morph * (wall.map[n][1] - wall.map[n][2] / 2 - rows[n]); }
  function whole(which = layout) {
    const [x, y] = extent[which];
    return { x: x / 2, y: y / 2, zoom: Math.min(wide / x, tall / y) * 0.97 };
  }
  function held(view) { // neither lost in the distance nor past the edge
    const [x, y] = extent[layout];
    view.zoom = Math.min(Math.max(view.zoom, Math.min(whole().zoom, 8)), Math.max(2 * wall.cell, 400));
    view.x = Math.min(Math.max(view.x, 0), x); view.y = Math.min(Math.max(view.y, 0), y);
    return view;
  }

  // Tiles: asked for as they are needed, the coarse ones first; the oldest are forgotten.
  const tiles = new Map(), MOST = 700, AT_ONCE = 8;
  let loading = 0, wanted = [];
  function tile(level, column, row) {
    const name = `${level}/${column}_${row}`, known = tiles.get(name);
    if (known) { tiles.delete(name); tiles.set(name, known); return known.ready ? known.image : null; }
    wanted.push(name);
    return null;
  }
  function load() {
    for (const name of wanted) {
      if (loading >= AT_ONCE) return;
      if (tiles.has(name)) continue;
      const image = new Image(), known = { image, ready: false };
      tiles.set(name, known); loading++;
      const done = (ready) => { known.ready = ready; loading--; ask(); };
      image.onload = () => done(true); image.onerror = () => done(false);
      image.src = `wall_files/${name}.jpg`;
    }
    for (const name of tiles.keys()) {
      if (tiles.size <= MOST) break;
      tiles.delete(name);
    }
  }
  const least = wall.levels - Math.log2(wall.cell) + 2; // the level at which a photo has 4 pixels
  const base = Math.max(0, Math.min(wall.levels, least));
  function level(pixels) { // the coarsest one on which a photo has about so many pixels
    const up = Math.ceil(Math.log2(Math.max(1, pixels) / wall.cell) - 0.3);
    return Math.min(wall.levels, Math.max(base, wall.levels + up));
  }

  function drawGrid() {
    const fine = level(seen.zoom * dense);
    const layers = new Set([base, Math.max(base, fine - 2), fine]);
    for (const at of layers) { // coarse below fine: nothing is ever missing, only blurred
      const unit = wall.cell / 2 ** (wall.levels - at); // px of a cell on this level
      const step = wall.tile / unit * seen.zoom;
      const x0 = wide / 2 - seen.x * seen.zoom, y0 = tall / 2 - seen.y * seen.zoom;
      const across = Math.ceil(wall.columns * unit / wall.tile), down = Math.ceil(wall.rows * unit / wall.tile);
      for (let row = Math.max(0, Math.floor(-y0 / step)); row < Math.min(down, (tall - y0) / step); row++)
        for (let col = Math.max(0, Math.floor(-x0 / step)); col < Math.min(across, (wide - x0) / step); col++) {
          const image = tile(at, col, row);
          if (image) {
            // To whole pixels of the screen, or hair lines show between tiles.
            const a = snap(x0 + col * step), b = snap(y0 + row * step);
            pen.drawImage(image, a, b,
              snap(x0 + col * step + image.width / unit * seen.zoom) - a,
              snap(y0 + row * step + image.height / unit * seen.zoom) - b);
          }
        }
    }
    pen.fillStyle = paper;
    for (const place of empty) {
      const [x, y] = screen(place % wall.columns, Math.floor(place / wall.columns));
      pen.fillRect(x - 0.5, y - 0.5, seen.zoom + 1, seen.zoom + 1);
    }
  }
  function drawScattered() {
    for (let n = 0; n < count; n++) {
      const size = side(n) * seen.zoom, [x, y] = screen(left(n), top(n));
      if (x > wide || y > tall || x + size < 0 || y + size < 0) continue;
      for (let at = level(size * dense), first = true; at >= base; at--) {
        const unit = wall.cell / 2 ** (wall.levels - at), per = Math.max(1, wall.tile / unit);
        const col = Math.floor(columns[n] / per), row = Math.floor(rows[n] / per);
        const image = first || at === base ? tile(at, col, row) : tiles.get(`${at}/${col}_${row}`)?.ready && tile(at, col, row);
        first = false;
        if (!image) continue;
        pen.drawImage(image, (columns[n] - col * per) * unit, (rows[n] - row * per) * unit, unit, unit, x, y, size, size);
        break;
      }
    }
  }
  const snap = (value) => Math.round(value * dense) / dense;
  const screen = (x, y) => [(x - seen.x) * seen.zoom + wide / 2, (y - seen.y) * seen.zoom + tall / 2];

  function drawVeil() { // all but what was looked for steps back
    veil.width = canvas.width; veil.height = canvas.height;
    const film = veil.getContext("2d");
    film.scale(dense, dense);
    film.globalAlpha = 0.82; film.fillStyle = paper; film.fillRect(0, 0, wide, tall);
    for (const n of hits) {
      const [x, y] = screen(left(n), top(n)), size = Math.max(2, side(n) * seen.zoom);
      film.clearRect(x, y, size, size);
    }
    pen.drawImage(veil, 0, 0, wide, tall);
  }
  function frame(n, width, colour) {
    const [x, y] = screen(left(n), top(n)), size = side(n) * seen.zoom;
    pen.lineWidth = width; pen.strokeStyle = colour; pen.strokeRect(x, y, size, size);
  }

  function ask() { if (!asked) { asked = true; requestAnimationFrame(draw); } }
  let before = 0;
  function draw(now) {
    asked = false;
    const share = still.matches ? 1 : 1 - Math.exp(-Math.min(50, now - before || 16) / 70);
    before = now;
    let moving = false;
    const far = Math.abs(Math.log(goal.zoom / seen.zoom)) > 0.002
      || Math.hypot(goal.x - seen.x, goal.y - seen.y) * seen.zoom > 0.3;
    if (far && share < 1) {
      // Of a zoom the point under the pointer stays: it does when place and size move as one.
      const zoom = seen.zoom * (goal.zoom / seen.zoom) ** share;
      const part = Math.abs(goal.zoom - seen.zoom) < 1e-9 * seen.zoom ? share
        : (1 / seen.zoom - 1 / zoom) / (1 / seen.zoom - 1 / goal.zoom);
      seen = { x: seen.x + (goal.x - seen.x) * part, y: seen.y + (goal.y - seen.y) * part, zoom };
      moving = true;
    } else seen = { ...goal };
    if (morph !== layout) {
      morph += (layout - morph) * share;
      if (Math.abs(layout - morph) < 0.003) morph = layout;
      moving = true;
    }
    wanted = [];
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.fillStyle = paper; pen.fillRect(0, 0, wide, tall);
    pen.imageSmoothingQuality = "medium";
    if (morph === 0) drawGrid(); else drawScattered();
    if (hits) drawVeil();
    if (hits && hits.length < 3000) for (const n of hits) if (side(n) * seen.zoom > 9) frame(n, 1.5, accent);
    if (over >= 0 && over !== pinned) frame(over, 2, ink);
    if (pinned >= 0) frame(pinned, 3, accent);
    load();
    if (moving) ask(); else before = 0;
    canvas.dataset.idle = String(!moving && loading === 0 && wanted.length === 0);
  }

  function at(px, py) { // the photo at a place on the screen; -1: none
    const x = (px - wide / 2) / seen.zoom + seen.x, y = (py - tall / 2) / seen.zoom + seen.y;
    if (morph === 0) {
      const inside = x >= 0 && y >= 0 && x < wall.columns && y < wall.rows;
      return inside ? board.get(Math.floor(y) * wall.columns + Math.floor(x)) ?? -1 : -1;
    }
    for (let n = count - 1; n >= 0; n--) { // the last one is in front
      const a = x - left(n), b = y - top(n);
      if (a >= 0 && b >= 0 && a < side(n) && b < side(n)) return n;
    }
    return -1;
  }

  // What is known of a photo. Only texts are set, never HTML: names come from anybody.
  function tell() {
    const n = pinned >= 0 ? pinned : over, card = find("card");
    card.hidden = n < 0;
    if (n < 0) return;
    const label = wall.names[wall.labels[n]], guess = wall.names[wall.predicted[n]];
    find("label").textContent = label || guess || "";
    find("label").hidden = !(label || guess);
    const line = find("guess");
    line.hidden = !guess;
    line.textContent = guess ? words.predicted.replace("{name}", guess).replace("{share}", (wall.shares[n] / 10).toFixed(wall.shares[n] > 990 ? 1 : 0)) : "";
    line.className = !label || !wall.judged ? "" : label === guess ? "right" : "wrong";
    find("uri").textContent = wall.prefix + wall.rests[n];
    const size = wall.sizes[n], why = wall.unread[n];
    find("more").textContent = why || (size ? words.size.replace("{width}", size[1]).replace("{height}", size[0]) : "");
    const link = find("original");
    link.hidden = wall.link === null;
    if (wall.link !== null) link.href = wall.link + wall.rests[n].split("/").map(encodeURIComponent).join("/");
  }
  function point(n, pin) {
    if (pin) pinned = n === pinned ? -1 : n;
    over = n;
    tell(); ask();
  }

  // Moving.
  function zoom(factor, px = wide / 2, py = tall / 2) {
    const was = goal.zoom, next = held({ ...goal, zoom: was * factor }).zoom;
    const change = 1 / was - 1 / next;
    goal = held({ x: goal.x + (px - wide / 2) * change, y: goal.y + (py - tall / 2) * change, zoom: next });
    ask();
  }
  function shift(px, py, now) {
    goal = held({ x: goal.x - px / goal.zoom, y: goal.y - py / goal.zoom, zoom: goal.zoom });
    if (now) seen = { ...goal };
    ask();
  }
  function visit(n, size) {
    const was = morph;
    morph = layout; // where it will be
    goal = held({ x: left(n) + side(n) / 2, y: top(n) + side(n) / 2, zoom: size / side(n) });
    morph = was;
    ask();
  }
  const fingers = new Map();
  let dragged = 0, last = 0, where = null;
  const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event));
    if (fingers.size === 1) dragged = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event), was = fingers.get(event.pointerId);
    if (!was) { if (event.pointerType === "mouse") point(at(x, y), false); return; }
    if (fingers.size === 1) {
      dragged += Math.abs(x - was[0]) + Math.abs(y - was[1]);
      if (dragged > 4) { goal.zoom = seen.zoom; shift(x - was[0], y - was[1], true); }
    } else {
      const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, spot]) => spot);
      const spread = Math.hypot(x - other[0], y - other[1]) / Math.max(1, Math.hypot(was[0] - other[0], was[1] - other[1]));
      dragged = 99;
      zoom(spread, (x + other[0]) / 2, (y + other[1]) / 2);
      shift((x - was[0]) / 2, (y - was[1]) / 2, true);
    }
    fingers.set(event.pointerId, [x, y]);
  });
  canvas.addEventListener("pointerup", (event) => {
    const alone = fingers.size === 1;
    fingers.delete(event.pointerId);
    if (!alone || dragged > 4) return;
    const spot = place(event), twice = event.timeStamp - last < 300 && Math.hypot(spot[0] - where[0], spot[1] - where[1]) < 20;
    last = twice ? 0 : event.timeStamp; where = spot;
    if (twice) zoom(event.shiftKey ? 1 / 2.5 : 2.5, ...spot); else point(at(...spot), true);
  });
  canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => { if (!fingers.size) point(-1, false); });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 24 : event.deltaMode === 2 ? tall : 1);
    zoom(Math.exp(-Math.max(-300, Math.min(300, pixels)) * (event.ctrlKey ? 0.01 : 0.002)), ...place(event));
  }, { passive: false });
  addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.type === "search") return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = Math.min(wide, tall) / 4;
    const moves = {
      "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(1 / 1.6), "0": home, Home: home,
      ArrowLeft: () => shift(step, 0), ArrowRight: () => shift(-step, 0),
      ArrowUp: () => shift(0, step), ArrowDown: () => shift(0, -step),
      Escape: () => { pinned = -1; point(-1, false); }, "/": () => find("search").focus(),
      Enter: () => point(at(wide / 2, tall / 2), true),
    };
    // Arrows in the choice of layouts, Enter on a button, belong to these.
    if (event.target instanceof HTMLElement && event.target.closest("header, #zoom, #card") && /^(Arrow|Enter)/.test(event.key)) return;
    if (moves[event.key]) { event.preventDefault(); moves[event.key](); }
  });
  function home() { goal = whole(); ask(); }
  find("in").addEventListener("click", () => zoom(1.8));
  find("out").addEventListener("click", () => zoom(1 / 1.8));
  find("home").addEventListener("click", home);
  find("close").addEventListener("click", () => { pinned = -1; point(-1, false); });

  for (const [number, id] of ["grid", "map"].entries())
    find(id).addEventListener("change", () => {
      const all = goal.zoom < whole().zoom * 1.3;
      // What is in the middle stays there.
      const n = pinned >= 0 ? pinned : near(), size = side(n) * goal.zoom;
      layout = number;
      if (all) home(); else visit(n, size);
    });
  function near() {
    let best = 0, least = Infinity;
    for (let n = 0; n < count; n++) {
      const away = Math.hypot(left(n) + side(n) / 2 - goal.x, top(n) + side(n) / 2 - goal.y);
      if (away < least) { least = away; best = n; }
    }
    return best;
  }

  // Searching: in labels and addresses; with Enter from one to the next.
  const told = find("found");
  function search() {
    const text = find("search").value.trim().toLocaleLowerCase();
    const folded = wall.names.map((name) => name.toLocaleLowerCase());
    const exact = folded.includes(text);
    hits = null; hit = -1;
    if (text) {
      hits = [];
      for (let n = 0; n < count; n++) {
        const label = wall.labels[n] < 0 ? "" : folded[wall.labels[n]];
        // A label that is just so is meant alone: "cougar_face", not "cougar_face" and all like it.
        if (exact ? label === text : label.includes(text) || wall.rests[n].toLocaleLowerCase().includes(text)) hits.push(n);
      }
      if (exact && !hits.length) // nobody's label: then a prediction
        for (let n = 0; n < count; n++) if (wall.predicted[n] >= 0 && folded[wall.predicted[n]] === text) hits.push(n);
    }
    told.textContent = hits ? words.found.replace("{count}", hits.length) : "";
    ask();
  }
  find("search").addEventListener("input", search);
  find("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && hits?.length) {
      event.preventDefault();
      hit = (hit + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
      pinned = hits[hit]; over = -1;
      told.textContent = words.one.replace("{number}", hit + 1).replace("{count}", hits.length);
      tell(); visit(pinned, Math.min(200, wide / 3));
    } else if (event.key === "Escape") { event.target.value = ""; search(); canvas.focus(); }
  });
  for (const name of [...new Set(wall.labels.filter((n) => n >= 0))].map((n) => wall.names[n]).sort()) {
    const option = document.createElement("option");
    option.value = name;
    find("labels").append(option);
  }

  // Light, dark, and the size of the window.
  const dark = matchMedia("(prefers-color-scheme: dark)"), root = document.documentElement;
  function colours() {
    const style = getComputedStyle(root);
    paper = style.getPropertyValue("--paper").trim(); ink = style.getPropertyValue("--ink").trim();
    accent = style.getPropertyValue("--accent").trim();
    ask();
  }
  find("theme").addEventListener("click", () => {
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    colours();
  });
  dark.addEventListener("change", colours);
  function fit() {
    const all = wide === 1 || goal.zoom <= whole().zoom * 1.01;
    wide = canvas.clientWidth || 1; tall = canvas.clientHeight || 1; dense = Math.min(3, devicePixelRatio || 1);
    canvas.width = Math.round(wide * dense); canvas.height = Math.round(tall * dense);
    goal = all ? whole() : held(goal);
    seen = { ...goal };
    ask();
  }
  new ResizeObserver(fit).observe(canvas);
  window.WALL_VIEW = () => ({ seen, layout, morph, hits, over, pinned, at, place: (n) => screen(left(n) + side(n) / 2, top(n) + side(n) / 2) });
  colours(); fit();
})();
