// Clicks and keys of the network's tab; `element`, `trigger` and `watch` are Gradio's.
const told = ["open", "layer", "unit", "all"];
let last = null;
element.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const code = copy.parentElement.querySelector("code");
    const mark = () => { const text = copy.textContent; copy.textContent = "✓";
      setTimeout(() => { copy.textContent = text; }, 1200); };
    const select = () => getSelection().selectAllChildren(code);
    if (navigator.clipboard) navigator.clipboard.writeText(code.textContent).then(mark, select);
    else select();
    return;
  }
  const save = event.target.closest("[data-save]");
  if (save) {
    save.href = save.closest("figure").querySelector("img").src;
    save.download = save.dataset.save;
    return;
  }
  const found = event.target.closest(told.map((name) => `[data-${name}]`).join());
  if (!found) return;
  const name = told.find((name) => name in found.dataset);
  last = [name, found.dataset[name]];
  trigger("click", {[name]: found.dataset[name]});
  const top = document.getElementById("net-right");
  const away = top.getBoundingClientRect().top < 0;
  if ((name === "layer" || name === "unit") && (away || innerWidth < 760)) {
    setTimeout(() => top.scrollIntoView({block: "start"}), 60);
  }
});
// Drawn anew, the block that had the focus may be another element, and the cell be gone.
watch("value", () => setTimeout(() => {
  const active = document.activeElement;
  const same = last && [...element.querySelectorAll(`.net [data-${last[0]}]`)]
    .find((one) => one.dataset[last[0]] === last[1]);
  if (same && element.contains(active) && active !== same) same.focus({preventScroll: true});
  const head = element.querySelector(".net-head");
  if (head && head.offsetParent && (active === document.body || !active.offsetParent)) head.focus({preventScroll: true});
  const room = element.querySelector(".net-scroll"), chosen = element.querySelector(".net-block.chosen");
  if (!room || !chosen) return;
  const inside = chosen.offsetTop, seen = room.scrollTop;
  if (inside < seen || inside + 90 > seen + room.clientHeight) room.scrollTop = inside - room.clientHeight / 3;
  room.scrollLeft = Math.max(0, chosen.offsetLeft + 110 - room.clientWidth / 2);
}, 80));
const move = (all, at, event) => {
  if (!all[at]) return;
  event.preventDefault();
  all[at].focus();
};
element.addEventListener("keydown", (event) => {
  const one = event.target;
  const cells = one.closest(".plate-cells");
  if (cells) {
    const all = [...cells.children], at = all.indexOf(one);
    const across = all.filter((other) => other.style.top === all[0].style.top).length;
    const step = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across,
      Home: -at, End: all.length - 1 - at}[event.key];
    if (step === undefined) return;
    if (all[at + step]) { one.tabIndex = -1; all[at + step].tabIndex = 0; }
    move(all, at + step, event);
    return;
  }
  if (!one.closest(".net")) return;
  const names = [...element.querySelectorAll(".net-name")];
  const block = one.closest(".net-block"), at = names.indexOf(block.querySelector(".net-name"));
  const fold = block.querySelector("[data-open]");
  if (event.key === "ArrowDown") move(names, at + 1, event);
  else if (event.key === "ArrowUp") move(names, at - 1, event);
  else if (event.key === "ArrowRight" && fold && fold.ariaExpanded === "false") fold.click();
  else if (event.key === "ArrowLeft" && fold && fold.ariaExpanded === "true") fold.click();
});
