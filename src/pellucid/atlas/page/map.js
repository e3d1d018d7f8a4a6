"use strict";
(() => {
  const read = id => JSON.parse(document.getElementById(id).textContent);
  const at = id => document.getElementById(id);
  const data = read("data"), words = data.words, each = data.across * data.across;
  const MOST = 600;
  const root = document.documentElement, mouse = { x: 0, y: 0 };
  let source = null, names = null, chosen = [], quiet = false;

  const made = (kind, text, more) => {
    const node = document.createElement(kind);
    if (text !== undefined) node.textContent = text;
    return Object.assign(node, more || {});
  };
  const mode = () => data.modes[at("colour")?.value];
  const told = (which, of) => which === "right" ? words[of] : of;
  const group = (which, row) => {
    const found = data.modes[which];
    return found && found.of[row] >= 0 ? found.names[found.of[row]] : "";
  };
  const wrong = row => group("right", row) === "is_wrong";

  // Bytes are decoded into a picture of their own once, so that no sheet is decoded twice.
  const sheets = data.sheets.map(() => null);
  const address = number => {
    if (!sheets[number]) {
      const [head, body] = data.sheets[number].split(",");
      const bytes = Uint8Array.from(atob(body), letter => letter.charCodeAt(0));
      sheets[number] = URL.createObjectURL(new Blob([bytes], { type: head.slice(5).split(";")[0] }));
    }
    return sheets[number];
  };
  const photo = (row, scale) => {
    const node = made("div", undefined, { className: wrong(row) ? "photo wrong" : "photo" });
    const place = row % each, side = data.side * scale;
    const across = -(place % data.across) * side, down = -Math.floor(place / data.across) * side;
    node.style.backgroundImage = `url("${address(Math.floor(row / each))}")`;
    node.style.backgroundPosition = `${across}px ${down}px`;
    node.style.backgroundSize = `${data.across * side}px auto`;
    return node;
  };
  const lines = row => {
    const label = group("label", row), sees = group("predicted", row);
    return [label, sees && sees !== label ? words.sees.replace("{name}", sees) : "", data.uris[row]];
  };

  function hover(indices) {
    const tip = at("tip");
    tip.hidden = !indices.length;
    if (tip.hidden) return;
    const row = indices[indices.length - 1], text = made("div");
    const [label, sees, uri] = lines(row);
    if (label) text.append(made("div", label));
    if (sees) text.append(made("div", sees));
    text.append(made("small", uri));
    tip.replaceChildren(photo(row, 2), text);
    follow();
  }
  function follow() {
    const tip = at("tip");
    if (tip.hidden) return;
    const box = tip.getBoundingClientRect(), gap = 14;
    const left = mouse.x + gap + box.width > innerWidth ? mouse.x - gap - box.width : mouse.x + gap;
    const top = mouse.y + gap + box.height > innerHeight ? mouse.y - gap - box.height : mouse.y + gap;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, top)}px`;
  }

  function show(rows) {
    chosen = rows;
    at("help").hidden = rows.length > 0;
    const counts = at("counts"), photos = at("photos"), which = mode();
    counts.replaceChildren();
    photos.replaceChildren();
    mark();
    if (!rows.length) return;
    const text = rows.length === 1 ? words.chosen_one : words.chosen.replace("{count}", rows.length.toLocaleString());
    counts.append(made("strong", text));
    if (which) {
      const sizes = new Map();
      for (const row of rows) sizes.set(which.of[row], (sizes.get(which.of[row]) || 0) + 1);
      for (const [number, size] of [...sizes].sort((a, b) => b[1] - a[1]).slice(0, 12)) {
        const node = made("span", `${number < 0 ? words.none : told(at("colour").value, which.names[number])} `);
        node.append(made("b", size.toLocaleString()));
        counts.append(node);
      }
    }
    counts.append(made("button", words.clear, { type: "button", onclick: () => { at("search").value = ""; select([]); } }));
    for (const row of rows.slice(0, MOST)) {
      const node = photo(row, 1);
      node.title = lines(row).filter(Boolean).join("\n");
      photos.append(node);
    }
    if (rows.length > MOST) photos.append(made("p", words.more.replace("{count}", (rows.length - MOST).toLocaleString())));
  }
  function select(rows) {
    quiet = true;
    if (source) source.selected.indices = rows;
    quiet = false;
    show(rows);
  }
  window.pellucidMap = { hover, chosen: rows => { if (!quiet) show(rows); } };

  function mark() {
    const which = mode(), found = new Set(which ? chosen.map(row => which.of[row]) : []);
    for (const node of at("legend").children) {
      node.setAttribute("aria-selected", found.size === 1 && found.has(Number(node.dataset.number)));
    }
  }
  function legend() {
    const which = mode();
    at("legend").replaceChildren();
    if (!which) return;
    const sizes = new Array(which.names.length).fill(0);
    for (const number of which.of) if (number >= 0) sizes[number] += 1;
    which.names.forEach((name, number) => {
      if (!sizes[number]) return;
      const node = made("button", undefined, { type: "button" });
      const dot = made("i");
      dot.style.background = which.colours[number];
      node.dataset.number = number;
      node.setAttribute("role", "option");
      node.append(dot, made("span", told(at("colour").value, name)), made("b", sizes[number].toLocaleString()));
      node.onclick = () => {
        const rows = [];
        which.of.forEach((of, row) => { if (of === number) rows.push(row); });
        const same = node.getAttribute("aria-selected") === "true" && chosen.length === rows.length;
        select(same ? [] : rows);
      };
      at("legend").append(node);
    });
  }
  function paint() {
    const which = mode();
    if (source && which) {
      source.data = { ...source.data, colour: which.of.map(of => of < 0 ? data.none : which.colours[of]) };
    }
    legend();
    show(chosen);
  }
  function search() {
    const asked = at("search").value.trim().toLowerCase();
    if (!asked) return select([]);
    const rows = [];
    for (let row = 0; row < data.uris.length; row++) {
      if (`${group("label", row)}\n${group("predicted", row)}\n${data.uris[row]}`.toLowerCase().includes(asked)) rows.push(row);
    }
    select(rows);
  }
  function theme(dark) {
    root.dataset.theme = dark ? "dark" : "light";
    if (!names) return;
    const style = getComputedStyle(root);
    names.glyph.text_color = style.getPropertyValue("--ink").trim();
    names.glyph.background_fill_color = style.getPropertyValue("--paper").trim();
  }

  let waiting = 0;
  at("controls").onsubmit = event => { event.preventDefault(); search(); };
  at("colour")?.addEventListener("change", paint);
  at("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 180); });
  at("names").addEventListener("change", () => { if (names) names.visible = at("names").checked; });
  at("theme").onclick = () => theme(root.dataset.theme !== "dark");
  document.addEventListener("pointermove", event => { mouse.x = event.clientX; mouse.y = event.clientY; follow(); });
  at("plot").addEventListener("pointerleave", () => { at("tip").hidden = true; });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => theme(dark.matches));
  theme(dark.matches);
  legend();
  Bokeh.embed.embed_item(read("item"), "plot").then(views => {
    const view = Array.isArray(views) ? views[0] : [...views][0];
    const plot = view.model ?? view;
    source = plot.renderers[0].data_source;
    names = plot.renderers.find(one => one.name === "names") || null;
    if (!names) at("named").hidden = true;
    theme(root.dataset.theme === "dark");
    root.dataset.ready = "yes";
  });
})();
