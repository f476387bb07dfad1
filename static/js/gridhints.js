// What is worth a look in a cell (UX 6.6.3): an amber corner, and its words while the cell has the focus.

import { $, on } from "./core.js";
import { cellOf } from "./gridrows.js";

let tip = null;

function hide() {
  tip?.remove();
  for (const field of document.querySelectorAll('[aria-describedby="cell-hint"]')) field.removeAttribute("aria-describedby");
}

function show(field) {
  hide();
  const cell = cellOf(field);
  if (!cell?.matches(".warned") || !cell.title) return;
  tip = document.createElement("div");
  tip.id = "cell-hint";
  tip.className = "note warn";
  tip.textContent = cell.title;
  document.body.append(tip);
  if (tip.showPopover) {
    tip.popover = "manual";
    tip.showPopover();
  }
  const box = cell.getBoundingClientRect();
  const above = box.top - tip.offsetHeight - 4; // below, lists of pickers open
  Object.assign(tip.style, { position: "fixed", margin: "0", inset: "auto", maxWidth: "320px" });
  tip.style.left = `${Math.max(8, Math.min(box.left, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${above > 0 ? above : box.bottom + 4}px`;
  field.setAttribute("aria-describedby", "cell-hint");
}

export function start() {
  on("focusin", "[data-grid] td[data-col] :is(input, select)", (event, field) => show(field));
  on("focusout", "[data-grid] td[data-col] :is(input, select)", hide);
  on("grid-hints", "[data-grid] tr[data-row]", (event, row) => {
    const field = $("td[data-col] :is(input, select):focus", row);
    if (field) show(field);
  });
  document.addEventListener("scroll", hide, { capture: true, passive: true });
}
