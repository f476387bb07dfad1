// Line details (UX 6.6.10): the fields of a row that have no cell fold out in a panel under it, by the button at the
// end of the row or Alt+Enter. Ctrl+↓ and Ctrl+↑ lead to the panel of the next row, Escape back into the row.

import { $, focusEnd, on } from "./core.js";
import { neighbour } from "./gridpages.js";
import { column, extras, fieldAt, labelOf, lineOf, panelOf, read, rows, stops } from "./gridrows.js";

const openers = new WeakMap(); // panel -> where the focus was

const buttonOf = (row) => $("[data-row-more]", row);

function fold(row, shut) {
  panelOf(row).hidden = shut;
  buttonOf(row)?.setAttribute("aria-expanded", String(!shut));
}

function show(row, col) {
  const panel = panelOf(row);
  if (panel.hidden) openers.set(panel, row.contains(document.activeElement) ? document.activeElement : null);
  fold(row, false);
  const field = extras(row).find((one) => column(one) === col) || extras(row)[0];
  if (field) focusEnd(field);
  panel.scrollIntoView({ block: "nearest" });
}

function close(row) {
  const from = openers.get(panelOf(row));
  const back = from?.isConnected && from !== document.body ? from : stops(row)[0] || buttonOf(row);
  fold(row, true);
  back?.focus();
}

/** Open or close the details of a row; a row without any has a menu there. */
export function details(row) {
  const panel = panelOf(row);
  if (panel) return panel.hidden ? show(row) : close(row);
  const menu = $("[data-menu] > summary", row);
  menu?.focus();
  return menu?.click();
}

/** Keys in a panel; true if the key was one of its own. */
export function panelKeys(event, table) {
  const row = lineOf(event.target);
  const mod = event.ctrlKey || event.metaKey;
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (mod && way && !event.shiftKey && !event.altKey) {
    const col = column(event.target);
    const next = neighbour(table, row, way);
    if (!next) return true;
    if (row.isConnected && !$("[aria-invalid=true]", panelOf(row))) fold(row, true);
    show(next, col);
  } else if (event.key === "Escape" || (event.key === "Enter" && event.altKey)) close(row);
  else if (event.key === "Enter" && !mod && event.target.matches("input, select")) {
    const order = extras(row);
    const next = order[order.indexOf(event.target) + (event.shiftKey ? -1 : 1)];
    if (next) focusEnd(next);
    else close(row);
  } else return false;
  return true;
}

/** The mark at the end of a row whose details hold something, with what they hold. */
function mark(row) {
  const button = buttonOf(row);
  if (!button) return;
  const filled = extras(row).filter((field) => read(field).text);
  button.title = filled.map((field) => `${labelOf(field)}: ${field.matches("select") ? field.selectedOptions[0]?.text : read(field).text}`).join(" · ");
  button.closest("td").classList.toggle("changed", filled.length > 0);
}

export function showDetails(table) {
  for (const row of rows(table)) mark(row);
}

export function start() {
  on("click", "[data-grid] [data-row-more]", (event, button) => details(lineOf(button)));
  for (const type of ["input", "change", "grid-rows"]) {
    on(type, "[data-grid]", (event, table) => {
      const row = event.target !== table && event.target.closest(".rowdet") && lineOf(event.target);
      if (row) mark(row);
      else if (event.target === table) showDetails(table);
    });
  }
  // the server has said what is wrong with a detail, or that it is right
  on("fresh", ".rowdet .errlist", (event, list) => {
    const row = lineOf(list);
    const wrong = !!list.textContent.trim();
    const field = fieldAt(row, column(list));
    field.setAttribute("aria-invalid", String(wrong));
    if (wrong) field.setAttribute("aria-describedby", list.id);
    if (wrong) fold(row, false);
  });
  // a link of the error summary leads into details that are folded
  on("click", ".errsum a[href^='#']", (event, link) => {
    const field = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (field?.closest(".rowdet[hidden]")) fold(lineOf(field), false);
  });
}
