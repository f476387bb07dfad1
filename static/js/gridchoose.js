// Many products at once (UX 6.6.7): Alt+↓ in an empty product cell, or the button over the lines, opens a drawer with a
// search, boxes and quantities; "Take n lines" writes what was chosen into the grid. On phones the quantity of a line
// has buttons beside it (UX 6.6.14).

import { composing } from "./ime.js";
import { $, $$, focusEnd, on, text } from "./core.js";
import { lastPage } from "./gridpages.js";
import { put } from "./gridpaste.js";
import { add, cellOf, column, fieldAt, formOf, isEmpty, rowOf, rows } from "./gridrows.js";

let asked = null; // where the lines go

const drawer = () => $("[data-choose]");
const box = (row) => $("input[type=checkbox]", row);
const amount = (row) => $("input.num", row);
const found = () => $$("[data-pick]", drawer());
const chosen = () => found().filter((row) => box(row).checked);

function search(field) {
  asked = { table: field.closest("[data-grid]"), field };
  window.htmx.ajax("GET", formOf(asked.table).dataset.chooseUrl, { target: "#drawer", swap: "innerHTML", source: cellOf(field) });
}

function count() {
  const n = chosen().length;
  const button = $("[data-choose-take]", drawer());
  button.disabled = !n;
  button.textContent = text("take-lines", { n });
}

function take() {
  const { choose, count: counted } = drawer().dataset;
  const lines = chosen().map((row) => ({ [choose]: { text: row.dataset.text, id: row.dataset.pick }, [counted]: { text: amount(row).value.trim() || "1" } }));
  $("#drawer").close();
  if (!asked?.field.isConnected || !lines.length) return;
  put(asked, lines.map((cells, at) => [at ? "" : rowOf(asked.field).dataset.row, cells]), "rows-taken", true);
  fieldAt(rowOf(asked.field), counted)?.focus();
}

function onKey(event, input) {
  if (composing(event)) return;
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const all = found().map(amount);
  const at = all.indexOf(input.closest("[data-pick]") ? amount(input.closest("[data-pick]")) : null);
  if (way) (all[at + way] || $("[data-choose-search]", drawer())).focus();
  else if (event.key === "Enter" && chosen().length) take();
  else if (event.key === "Enter" && all[0]) all[0].focus();
  else return;
  event.preventDefault();
}

/** One more or less; the server says whether that can be. */
function countBy(button) {
  const field = $("input", button.parentElement);
  const now = Number(field.value.replaceAll(",", "")) || 0;
  field.value = String(Number((now + Number(button.dataset.countBy)).toFixed(4)));
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

export function start() {
  on("keydown", "[data-grid] [data-combo] > input[type=text]", (event, input) => {
    const form = input.form;
    if (composing(event) || event.key !== "ArrowDown" || !event.altKey || event.ctrlKey || input.value.trim()) return;
    if (!form?.dataset.chooseUrl || column(input) !== form.dataset.chooseCol || !rowOf(input)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    search(input);
  });
  on("click", "[data-choose-rows]", (event, button) => {
    const table = $("[data-grid]", button.form);
    const row = rows(table).find(isEmpty) || (lastPage(table), rows(table).find(isEmpty) || add(table));
    const field = fieldAt(row, button.form.dataset.chooseCol);
    focusEnd(field);
    search(field);
  });
  on("input", "[data-pick] input.num", (event, input) => {
    box(input.closest("[data-pick]")).checked = /[1-9]/.test(input.value);
    count();
  });
  on("change", "[data-pick] input[type=checkbox]", (event, input) => {
    const field = amount(input.closest("[data-pick]"));
    field.value = input.checked ? field.value || "1" : "";
    if (input.checked) focusEnd(field);
    count();
  });
  on("keydown", "[data-choose] input", onKey);
  on("click", "[data-choose-take]", take);
  on("click", "[data-count-by]", (event, button) => countBy(button));
  // what was chosen stays while one searches on
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id === "choose-found") $("#choose-taken").append(...chosen());
  });
  document.addEventListener("htmx:afterSwap", () => {
    if (!drawer()) return;
    const taken = new Set($$("#choose-taken > tr").map((row) => row.dataset.pick));
    for (const row of $$("#choose-found > tr")) if (taken.has(row.dataset.pick)) row.remove();
    count();
  });
}
