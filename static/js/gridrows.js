// Rows and cells of the line grid (UX 6.6): finding, adding, copying, moving, deleting.

import { $, $$, text } from "./core.js";

export const FIELDS = "input:not([type=hidden]), select, textarea";

export const formOf = (table) => table.closest("form");
export const body = (table) => table.tBodies[0];
export const rows = (table) => [...body(table).children].filter((row) => row.matches("[data-row]"));
export const rowOf = (element) => element.closest("tr[data-row]");
/** The row of a cell, or of something in the details under it. */
export const lineOf = (element) => {
  let row = element.closest("tr");
  while (row && !row.matches("[data-row]")) row = row.previousElementSibling;
  return row;
};
export const cellOf = (element) => element.closest("td");
export const column = (element) => element.closest("[data-col]")?.dataset.col;
export const comboOf = (field) => field.closest("[data-combo]");

export const fields = (row) => $$(FIELDS, row).filter((field) => !field.disabled && !field.readOnly && field.tabIndex >= 0
  && !field.closest("td.ro, .menu") && cellOf(field)?.parentElement === row);
/** The details of a row, where its document has some, and their fields. */
export const panelOf = (row) => family(row).find((one) => one.matches(".rowdet"));
export const extras = (row) => {
  const panel = panelOf(row);
  return panel ? $$(FIELDS, panel) : [];
};
export const allFields = (row) => [...fields(row), ...extras(row)];
/** The fields that Enter visits: cells marked data-skip are left out, the arrows still reach them. */
export const stops = (row) => fields(row).filter((field) => !cellOf(field).hasAttribute("data-skip"));
export const fieldAt = (row, col) => allFields(row).find((field) => column(field) === col);

/** What is typed in a field, with the id behind it if it is a picker. */
export function read(field) {
  const combo = comboOf(field);
  return { text: field.type === "checkbox" ? field.checked : field.value, id: combo ? $("input[type=hidden]", combo).value : "" };
}

export function write(field, value) {
  const combo = comboOf(field);
  if (field.type === "checkbox") field.checked = value.text === true || /^(1|x|y|yes|true|是|√)$/i.test(value.text);
  else if (field.matches("select")) {
    const hit = [...field.options].find((option) => option.value === value.text || option.text.trim() === value.text);
    if (hit) field.value = hit.value;
  } else field.value = value.text;
  if (!combo) return;
  $("input[type=hidden]", combo).value = value.id || "";
  combo.classList.toggle("picked", !!value.id);
}

function template(table) {
  const form = formOf(table) || document;
  return $(`template[data-row-template="${table.dataset.prefix}"]`, form) || $("template[data-row-template]", form);
}

function fill(node, index) {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let at = walker.currentNode; at; at = walker.nextNode()) {
    if (at.nodeType === Node.TEXT_NODE) at.data = at.data.replaceAll("__i__", index);
    else for (const attribute of at.attributes || []) if (attribute.value.includes("__i__")) attribute.value = attribute.value.replaceAll("__i__", index);
  }
  return node;
}

/** Indexes are never used twice; the server reads the rows in the order of the page. */
export function nextIndex(table) {
  const total = formOf(table)?.elements.namedItem(`${table.dataset.prefix}-TOTAL_FORMS`);
  const used = "next" in table.dataset ? [] : [...rows(table).map((row) => row.dataset.row), ...$$("[data-folded] > input", formOf(table) || document).map((item) => item.name.split("-").at(-2))].map((index) => Number(index) + 1);
  const next = Math.max(0, Number(table.dataset.next || 0), Number(total?.value || 0), ...used);
  table.dataset.next = next + 1;
  if (total) total.value = next + 1;
  return next;
}

export const changed = (table) => table.dispatchEvent(new CustomEvent("grid-rows", { bubbles: true }));

/** A row as it comes from the template, with what belongs to it. */
export const make = (table, index) => [...fill(template(table).content.cloneNode(true), index).children];

export function add(table, after, before) {
  if (!template(table) || table.hasAttribute("data-fixed")) return null;
  const group = make(table, nextIndex(table));
  if (before) before.before(...group);
  else if (after) tail(after).after(...group);
  else body(table).append(...group);
  for (const one of group) {
    window.htmx?.process(one);
    one.dispatchEvent(new CustomEvent("fresh", { bubbles: true }));
  }
  changed(table);
  return group[0];
}

/** A row with the rows that belong to it: its errors and its details. */
export function family(row) {
  const all = [row];
  for (let next = row.nextElementSibling; next && !next.matches("[data-row]"); next = next.nextElementSibling) {
    if (next.matches(".rowerr, .rowdet")) all.push(next);
    else break;
  }
  return all;
}
export const tail = (row) => family(row).at(-1);

/** Empty: nothing but what a new row brings along. */
export function isEmpty(row) {
  const table = row.closest("[data-grid]");
  const source = template(table);
  const blank = source?.content;
  return allFields(row).every((field) => {
    const value = read(field);
    if (value.id) return false;
    if (value.text === "" || value.text === false) return true;
    const twin = blank && $(`[data-col="${column(field)}"] :is(${FIELDS})`, blank);
    return !!twin && (twin.matches("select") ? field.selectedIndex === Math.max(0, twin.selectedIndex) : twin.type === "checkbox" ? field.checked === twin.checked : twin.value === field.value);
  });
}

export function duplicate(table, row) {
  const copy = add(table, row);
  if (!copy) return null;
  for (const field of allFields(row)) {
    const twin = fieldAt(copy, column(field));
    if (twin) write(twin, read(field));
  }
  changed(table);
  return copy;
}

export function move(table, row, step) {
  const all = rows(table);
  const other = all[all.indexOf(row) + step];
  if (!other) return false;
  const group = family(row);
  const focus = document.activeElement;
  if (step < 0) other.before(...group);
  else tail(other).after(...group);
  focus?.focus();
  changed(table);
  return true;
}

/** What a field of the details is called. */
export const labelOf = (field) => $("label", field.closest(".fld") || document.createElement("i"))?.textContent.trim();

/** Cells that are worth a look (UX 6.6.3), with the words that tell why. */
export function labelled(row, hints) {
  for (const cell of $$("td[data-col]", row)) {
    const words = hints[cell.dataset.col] || "";
    cell.classList.toggle("warned", !!words);
    if (cell.title !== words) cell.title = words;
  }
  row.dispatchEvent(new CustomEvent("grid-hints", { bubbles: true }));
}

/** Row numbers and names for assistive technology, after any change of rows. */
export function renumber(table) {
  const heads = [...(table.tHead?.rows[0]?.cells || [])].map((cell) => cell.textContent.trim());
  const offset = $('[data-folded="before"]', formOf(table) || document)?.children.length || 0;
  rows(table).forEach((row, at) => {
    const position = offset + at;
    const number = $("td.rn", row);
    if (number) {
      const node = [...number.childNodes].find((child) => child.nodeType === Node.TEXT_NODE && child.data.trim()) || number.appendChild(document.createTextNode(""));
      node.data = String(position + 1);
      number.tabIndex = -1;
    }
    for (const field of family(row).flatMap((part) => $$(FIELDS, part))) {
      const cell = cellOf(field);
      const title = labelOf(field) || cell?.dataset.label || heads[cell?.cellIndex] || "";
      field.setAttribute("aria-label", text("cell", { n: position + 1, column: title }));
    }
  });
}
