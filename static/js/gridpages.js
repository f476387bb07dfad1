// Large documents (UX 6.6.11): 200 rows are in view. Every other row is one hidden input that holds what its inputs
// would post (kit/pages/packing.py takes it apart), and in data-shown what it shows beside them. The inputs before and
// behind the table keep the order of the rows, so that the form always holds the whole document.

import { $, $$, on, text } from "./core.js";
import { again } from "./gridcompute.js";
import { body, changed, column, FIELDS, family, fields, formOf, labelled, make, panelOf, rows, tail } from "./gridrows.js";
import { show } from "./toast.js";

const PAGE = 200;
const SLACK = 50; // rows that may be added before the page is cut

const place = (table, side) => $(`[data-folded="${side}"]`, formOf(table) || document);
const folded = (table, side) => [...(place(table, side)?.children || [])];
export const indexOf = (item) => item.dataset.row ?? item.name.split("-").at(-2);
export const foldedAt = (table, index) => [...folded(table, "before"), ...folded(table, "after")].find((item) => indexOf(item) === String(index));
export const allRows = (table) => [...folded(table, "before"), ...rows(table), ...folded(table, "after")];
const stem = (table, index) => `${table.dataset.prefix}-${index}-`;
const parse = (text) => JSON.parse(text || "{}");

function input(table, index, values, shown) {
  const made = document.createElement("input");
  made.type = "hidden";
  made.name = `${stem(table, index)}packed`;
  made.id = made.name;
  made.value = JSON.stringify(values);
  made.dataset.shown = JSON.stringify(shown);
  return made;
}

/** A row as one input. */
function pack(table, row) {
  const parts = family(row);
  const from = stem(table, row.dataset.row).length;
  const values = {};
  for (const field of parts.flatMap((part) => $$("[name]", part))) if (field.value) values[field.name.slice(from)] = field.value;
  const shown = { o: {}, t: {}, e: {}, h: {} };
  for (const output of $$("output", row)) {
    shown.o[column(output)] = output.textContent;
    if (output.className) shown.t[column(output)] = output.className;
  }
  for (const cell of $$("td.warned", row)) shown.h[cell.dataset.col] = cell.title;
  const said = parts.find((part) => part.matches(".rowerr"))?.textContent.trim() || "";
  const wrong = fields(row).filter((field) => field.getAttribute("aria-invalid") === "true").map(column);
  if (said) shown.e[wrong[0] || ""] = said;
  for (const name of wrong.slice(1)) shown.e[name] = "";
  for (const list of $$(".errlist", panelOf(row) || row)) if (list.textContent.trim()) shown.e[column(list)] = list.textContent;
  return input(table, row.dataset.row, values, shown);
}

/** A packed row as the rows of the table that it stands for. */
function unpack(table, item) {
  const index = indexOf(item);
  const group = make(table, index);
  const [row] = group;
  const named = new Map(group.flatMap((part) => $$("[name]", part)).map((field) => [field.name, field]));
  for (const [name, value] of Object.entries(parse(item.value))) {
    const field = named.get(stem(table, index) + name);
    if (field) field.value = value;
  }
  const { o = {}, t = {}, e = {}, h = {} } = parse(item.dataset.shown);
  for (const output of $$("output", row)) {
    output.textContent = o[column(output)] || "";
    output.className = t[column(output)] || "";
    for (const name of output.classList) output.closest("td").classList.add(name);
  }
  labelled(row, h);
  const said = [];
  for (const [name, words] of Object.entries(e)) {
    const field = [...fields(row), ...group.flatMap((part) => (part === row ? [] : $$(".fld input, .fld select", part)))].find((one) => column(one) === name && one.type !== "hidden");
    field?.setAttribute("aria-invalid", "true");
    const list = field?.closest(".fld") && $(".errlist", field.closest(".fld"));
    if (list) list.textContent = words;
    else said.push(words);
    if (list) list.closest(".rowdet").hidden = false;
  }
  if (said.some(Boolean)) {
    const error = document.createElement("tr");
    error.className = "rowerr";
    error.id = `${stem(table, index)}err`;
    error.insertCell();
    error.insertCell().colSpan = row.cells.length - 1;
    error.cells[1].textContent = said.join(" ");
    group.splice(1, 0, error);
  }
  return group;
}

/** Show the page of the row at `index`, with the rows as they stand now; returns the row. */
export function reveal(table, index) {
  const all = allRows(table);
  const at = Math.max(0, all.findIndex((item) => indexOf(item) === String(index)));
  const first = all.length > PAGE + SLACK ? at - (at % PAGE) : 0;
  const last = all.length > PAGE + SLACK ? first + PAGE : all.length;
  const focus = document.activeElement;
  const fold = (items) => items.map((item) => (item.matches("tr") ? pack(table, item) : item));
  const before = fold(all.slice(0, first));
  const after = fold(all.slice(last));
  const fresh = [];
  const page = all.slice(first, last).flatMap((item) => {
    if (item.matches("tr")) return family(item);
    const group = unpack(table, item);
    fresh.push(...group);
    return group;
  });
  body(table).replaceChildren(...page);
  place(table, "before")?.replaceChildren(...before);
  place(table, "after")?.replaceChildren(...after);
  for (const one of fresh) {
    window.htmx?.process(one);
    one.dispatchEvent(new CustomEvent("fresh", { bubbles: true }));
  }
  if (focus?.isConnected && focus !== document.body) focus.focus({ preventScroll: true });
  table.dispatchEvent(new CustomEvent("grid-page", { bubbles: true }));
  again(formOf(table)); // an answer on its way is about rows that were elsewhere
  return rows(table).find((row) => row.dataset.row === String(index));
}

/** The row after (1) or before (-1) a row, on whatever page it is. */
export function neighbour(table, row, way) {
  const all = rows(table);
  const near = all[all.indexOf(row) + way];
  const far = !near && (way > 0 ? folded(table, "after")[0] : folded(table, "before").at(-1));
  return near || (far ? reveal(table, indexOf(far)) : undefined);
}

/** The page that takes the place of one whose rows are all gone. */
export function nearest(table) {
  const item = folded(table, "after")[0] || folded(table, "before").at(-1);
  return item && reveal(table, indexOf(item));
}

export const atEnd = (table) => !folded(table, "after").length;
export const lastPage = (table) => (folded(table, "after").length ? reveal(table, indexOf(folded(table, "after").at(-1))) : undefined);

/** Take the row behind the edge of the page into it, so that a row can move past it. */
export function pull(table, way) {
  const item = way > 0 ? folded(table, "after")[0] : folded(table, "before").at(-1);
  if (!item) return null;
  const group = unpack(table, item);
  item.remove();
  body(table)[way > 0 ? "append" : "prepend"](...group);
  for (const one of group) one.dispatchEvent(new CustomEvent("fresh", { bubbles: true }));
  return group[0];
}

/** Keep a page that has grown from growing on. */
export function cut(table, row) {
  if (rows(table).length > PAGE + SLACK) reveal(table, row.dataset.row);
}

/** Remove rows and offer Undo; returns the row to go on with. */
export function remove(table, gone, onUndo) {
  const all = rows(table);
  const next = all.find((row, index) => index > all.indexOf(gone.at(-1)) && !gone.includes(row)) || all.filter((row) => !gone.includes(row)).at(-1);
  const order = allRows(table);
  const undo = gone.map((row) => ({ group: family(row), before: row.previousElementSibling, behind: order[order.indexOf(row) - 1] }));
  for (const { group } of undo) for (const element of group) element.remove();
  changed(table);
  if (undo.some(({ group }) => !group.every(isEmptyDetached))) {
    show({
      level: "info",
      text: text("rows-deleted", { n: gone.length }),
      undo: () => {
        for (const { group, before, behind } of undo) {
          const home = before?.isConnected ? null : pageOf(table, behind);
          if (before?.isConnected) before.after(...group);
          else if (home) tail(home).after(...group);
          else body(table).prepend(...group);
        }
        changed(table);
        onUndo(gone);
      },
    });
  }
  return next;
}

/** The row that a deleted one stood behind, with its page in view; for the first of all rows, the first page. */
function pageOf(table, behind) {
  const first = allRows(table)[0];
  if (behind && foldedAt(table, indexOf(behind))) return reveal(table, indexOf(behind));
  if (!behind && first && !first.matches("tr")) reveal(table, indexOf(first));
  return behind && rows(table).find((row) => row.dataset.row === indexOf(behind));
}

const isEmptyDetached = (row) => $$(FIELDS, row).every((field) => field.value === "" || field.value === field.defaultValue) && !$("input[type=hidden][value]:not([value=''])", row);

/** What stands in cells of a folded row; changes them if there are new ones. Returns what stood there. */
export function packedCells(item, cells) {
  const values = parse(item.value);
  const was = {};
  for (const [name, { text, id }] of Object.entries(cells)) {
    const picked = `${name}_text` in values || id;
    was[name] = { text: values[picked ? `${name}_text` : name] || "", id: picked ? values[name] || "" : "" };
    values[picked ? `${name}_text` : name] = text;
    if (picked) values[name] = id || "";
  }
  item.value = JSON.stringify(values);
  return was;
}

/** A new row behind all others that comes into view with the next page. */
export function appendFolded(table, index) {
  const item = input(table, index, {}, {});
  place(table, "after")?.append(item);
  return item.isConnected ? item : null;
}

function showPager(table) {
  const all = allRows(table).length;
  const offset = folded(table, "before").length;
  const many = rows(table).length < all;
  for (const pager of $$("[data-pager]", formOf(table))) {
    pager.hidden = !many;
    $("[data-rows-all]", pager).textContent = all;
    $("[data-turn='-1']", pager).disabled = !offset;
    $("[data-turn='1']", pager).disabled = !folded(table, "after").length;
    const choice = $("[data-pages]", pager);
    choice.replaceChildren();
    for (let first = 0; many && first < all; first += PAGE) choice.add(new Option(`${first + 1}–${Math.min(first + PAGE, all)}`, first));
    choice.value = String(offset - (offset % PAGE));
  }
}

function turn(button, position) {
  const table = $("[data-grid]", button.form);
  const item = allRows(table)[position(table)];
  const row = item && reveal(table, indexOf(item));
  if (!row) return;
  table.scrollIntoView({ block: "nearest" });
  (fields(row)[0] || table).focus();
}

export function start() {
  on("click", "[data-turn]", (event, button) => {
    event.preventDefault();
    turn(button, (table) => (button.dataset.turn > 0 ? folded(table, "before").length + rows(table).length : folded(table, "before").length - 1));
  });
  on("change", "[data-pages]", (event, choice) => turn(choice, () => Number(choice.value)));
  on("grid-rows", "[data-grid]", (event, table) => showPager(table));
  on("grid-page", "[data-grid]", (event, table) => showPager(table));
  on("click", ".errsum a[href^='#']", (event, link) => {
    const [, prefix, index] = decodeURIComponent(link.hash.slice(1)).match(/^(.+?)-(\d+)-/) || [];
    const table = prefix && $(`[data-grid][data-prefix="${CSS.escape(prefix)}"]`);
    if (table && foldedAt(table, index)) reveal(table, index);
  });
}
