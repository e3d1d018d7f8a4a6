// Search over units.js, and the arrow keys for the page before and after.
const box = document.getElementById("find"), list = document.getElementById("found");
const root = document.body.dataset.root, most = 30;
let chosen = -1;

function matches(text) {
  const words = text.toLowerCase().split(/[\s:]+/).filter(Boolean);
  const scored = [];
  for (const [layer, channel, href, classes] of UNITS) {
    const name = layer.toLowerCase(), number = String(channel), spoken = classes.toLowerCase();
    let score = 0;
    for (const word of words) {
      // A number means just that channel, a word a part of a layer's or a class's name.
      const one = number === word ? 3 : name === word ? 3 : name.includes(word) ? 2
        : spoken.startsWith(word) ? 2 : spoken.includes(word) ? 1 : 0;
      if (!one) { score = 0; break; }
      score += one;
    }
    if (score) scored.push([score, layer + ":" + channel, href, classes]);
  }
  return scored.sort((a, b) => b[0] - a[0]).slice(0, most);
}

function show() {
  list.replaceChildren();
  chosen = -1;
  list.hidden = !box.value.trim();
  if (list.hidden) return;
  const found = matches(box.value);
  for (const [, name, href, classes] of found) {
    const row = document.createElement("li"), link = document.createElement("a");
    const bold = document.createElement("b"), small = document.createElement("small");
    bold.textContent = name; small.textContent = classes;
    link.href = root + href; link.append(bold, " ", small);
    row.append(link); list.append(row);
  }
  if (!found.length) {
    const row = document.createElement("li");
    row.textContent = box.dataset.nothing; list.append(row);
  }
}

box.addEventListener("input", show);
box.addEventListener("keydown", event => {
  const links = [...list.querySelectorAll("a")];
  if (event.key === "Escape") { box.value = ""; show(); }
  if (event.key === "Enter" && links.length) location.href = links[Math.max(0, chosen)].href;
  if ((event.key === "ArrowDown" || event.key === "ArrowUp") && links.length) {
    event.preventDefault();
    links[chosen]?.classList.remove("on");
    chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + links.length) % links.length;
    links[chosen].classList.add("on");
    links[chosen].scrollIntoView({block: "nearest"});
  }
});
document.addEventListener("keydown", event => {
  if (event.target === box || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "/") { event.preventDefault(); box.focus(); }
  const way = {ArrowLeft: "prev", ArrowRight: "next"}[event.key];
  const link = way && document.querySelector(`a[rel=${way}]`);
  if (link) location.href = link.href;
});
