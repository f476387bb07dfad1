// Paste a block from a spreadsheet into the line grid (UX 6.6.5). One row goes into its cells at once. Of more rows the
// server shows in the drawer what it takes them for, and what it gave there is written when the person takes it.

import { $, $$, announce, on, text } from "./core.js";
import { settle } from "./combo.js";
import { schedule } from "./gridcompute.js";
import { allRows, appendFolded, atEnd, foldedAt, indexOf, lastPage, nearest, packedCells, reveal } from "./gridpages.js";
import { add, cellOf, changed, column, comboOf, family, fieldAt, fields, formOf, isEmpty, nextIndex, read, rowOf, rows, stops, write } from "./gridrows.js";
import { show } from "./toast.js";

let asked = null; // where the rows in the drawer go
let hand = null; // the row that was edited last

/** Tab separated text as Excel and WPS put it on the clipboard, with "quoted ""cells""" and line breaks in them. */
export function parse(block) {
  const table = [[]];
  const pattern = /(?:"((?:[^"]|"")*)"|([^\t\r\n]*))(\t|\r\n|\n|\r|$)/gy;
  for (let hit = pattern.exec(block); hit; hit = pattern.exec(block)) {
    table.at(-1).push((hit[1] !== undefined ? hit[1].replaceAll('""', '"').replace(/\s*\n\s*/g, " ") : hit[2]).trim());
    if (pattern.lastIndex >= block.length) break;
    if (hit[3] !== "\t") table.push([]);
    if (hit[0] === "") break;
  }
  return table.filter((line) => line.some(Boolean));
}

const MANY = 20; // rows that are drawn one by one; more of them come into view with their page

/** Write cells into the row at an index, in view or not; returns what stood there. */
function writeCells(table, index, cells) {
  const row = rows(table).find((one) => one.dataset.row === index);
  if (!row) return packedCells(foldedAt(table, index), cells);
  const was = {};
  for (const [col, value] of Object.entries(cells)) {
    const target = fieldAt(row, col) || $(`input[type=hidden][name="${table.dataset.prefix}-${index}-${col}"]`, row);
    if (!target) continue;
    was[col] = read(target);
    write(target, value);
  }
  return was;
}

/** Write cells {column: {text, id}} into rows by their index; without one, into a new row, or into a `spare` one. */
export function fill(table, lines, spare = false) {
  const added = [];
  const many = lines.length > MANY || !atEnd(table);
  const before = lines.map(([to, cells]) => {
    const free = !to && spare && rows(table).find(isEmpty);
    let index = free ? free.dataset.row : to;
    if (!index) added.push(index = indexOf((many && appendFolded(table, String(nextIndex(table)))) || add(table)));
    return [index, writeCells(table, index, cells)];
  });
  if (many) reveal(table, before[0][0]);
  table.dispatchEvent(new Event("input", { bubbles: true }));
  const undo = () => {
    for (const [index, was] of before) writeCells(table, index, was);
    for (const item of allRows(table).filter((one) => added.includes(indexOf(one)))) for (const part of item.matches("tr") ? family(item) : [item]) part.remove();
    if (!rows(table).length) nearest(table);
    changed(table);
  };
  return { touched: before.map(([index]) => index), undo };
}

export function put({ table, field }, lines, said = "rows-pasted", spare = false) {
  const form = formOf(table);
  const { touched, undo } = fill(table, lines, spare);
  if (comboOf(field)) settle(comboOf(field)); // the server's answer does not touch the cell in hand
  for (const index of touched) schedule(form, index);
  announce(text(said, { n: lines.length }));
  show({
    level: "success",
    text: text(said, { n: lines.length }),
    undo: () => {
      undo();
      schedule(form, "all");
      if (field.isConnected) field.focus();
    },
  });
}

function take(lines, field) {
  const row = rowOf(field);
  const table = row.closest("[data-grid]");
  if (lines.length > 1) {
    asked = { table, field };
    const values = { paste: JSON.stringify(lines), at: row.dataset.row, column: column(field) };
    window.htmx.ajax("POST", formOf(table).dataset.pasteUrl, { target: "#drawer", swap: "innerHTML", source: cellOf(field), values });
    return;
  }
  const order = fields(row).map(column);
  const cols = order.slice(order.indexOf(column(field)));
  put({ table, field }, [[row.dataset.row, Object.fromEntries(lines[0].slice(0, cols.length).map((value, at) => [cols[at], { text: value }]))]]);
}

export function paste(event, field) {
  const block = event.clipboardData?.getData("text/plain") ?? "";
  const lines = parse(block);
  if (!lines.length || !/[\t\n]/.test(block.trimEnd())) return;
  event.preventDefault();
  take(lines, field);
}

/** The button: into the row in hand, else into the first empty one. Where a page may not read the clipboard it says how. */
async function pasteByButton(button) {
  const table = $("[data-grid]", button.closest("form"));
  const row = rows(table).find((one) => one === hand) || lastPage(table) || rows(table).find(isEmpty) || rows(table).at(-1);
  const field = stops(row)[0];
  const block = await navigator.clipboard?.readText?.().catch(() => "");
  const lines = parse(block || "");
  field.focus();
  if (lines.length) take(lines, field);
  else show({ text: text("paste-here") });
}

export function start() {
  on("focusin", "[data-grid] tr[data-row]", (event, row) => { hand = row; });
  on("click", "[data-paste-rows]", (event, button) => pasteByButton(button));
  on("click", "[data-pasted] [data-take]", (event, button) => {
    const lines = $$("[data-cells]", button.closest("[data-pasted]")).sort((a, b) => a.dataset.line - b.dataset.line);
    $("#drawer").close();
    if (asked?.table.isConnected) put(asked, lines.map((line) => [line.dataset.to, JSON.parse(line.dataset.cells)]));
  });
}
