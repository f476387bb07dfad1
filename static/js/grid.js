// Line grid (UX 6.6.8): moving, editing, marking. Every key of the table there works without a mouse.

import { composing } from "./ime.js";
import { $, $$, focusEnd, fresh, on, text, visible } from "./core.js";
import { settled } from "./combo.js";
import { schedule } from "./gridcompute.js";
import { paste } from "./gridpaste.js";
import { show } from "./toast.js";
import { atEnd, cut, lastPage, nearest, neighbour, pull, remove } from "./gridpages.js";
import { details, panelKeys, showDetails } from "./griddetails.js";
import { add, allFields, cellOf, column, comboOf, duplicate, family, fieldAt, fields, formOf, isEmpty, labelOf, lineOf, move, read, renumber, rowOf, rows, stops, write } from "./gridrows.js";

const before = new WeakMap(); // field -> what stood there when the focus came
const posted = new WeakMap(); // row -> what the server has seen of it
const anchors = new WeakMap(); // table -> row where marking began

const tableOf = (element) => element.closest("[data-grid]");
const isFixed = (table) => table.hasAttribute("data-fixed"); // rows neither come nor go (counts, receipts)
const isCell = (element) => element.matches("input, select, textarea");
const compute = (table, row) => schedule(formOf(table), typeof row === "string" ? row : row.dataset.row);
const print = (row) => JSON.stringify(family(row).flatMap((part) => $$("input, select, textarea", part)).map((field) => [field.name, field.type === "checkbox" ? field.checked : field.value]));
const firstStop = (row) => stops(row)[0] || fields(row)[0];

/** Tell the server about a row, unless nothing in it is new. */
function touch(table, row) {
  const now = print(row);
  if (posted.get(row) === now) return;
  posted.set(row, now);
  compute(table, row);
}

const touchAll = (table, list) => { for (const row of list) touch(table, row); };

function go(field) {
  if (!field) return false;
  focusEnd(field);
  cellOf(field).scrollIntoView({ block: "nearest", inline: "nearest" });
  return true;
}

/** Out of the grid, to the next thing that takes the focus (no keyboard trap, WCAG 2.1.2). */
function leave(table, back = false) {
  const all = $$("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']").filter((element) => visible(element) && !element.disabled && !table.contains(element));
  const after = all.filter((element) => table.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING && !element.closest(".tsts, .mnav, .gridbar"));
  const prior = all.filter((element) => table.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_PRECEDING);
  (back ? prior.at(-1) : after.find((element) => isCell(element) && element.form === formOf(table)) || after[0])?.focus();
}

function step(field, table, back, byTab) {
  const row = rowOf(field);
  const all = rows(table);
  const inRow = stops(row);
  const rest = all.slice(all.indexOf(row));
  if (!back && byTab && rest.every(isEmpty) && atEnd(table)) return leave(table);
  // from a cell that Enter skips, go on from its place in the row
  const order = fields(row);
  const next = back ? order.slice(0, order.indexOf(field)).filter((f) => inRow.includes(f)).at(-1) : order.slice(order.indexOf(field) + 1).find((f) => inRow.includes(f));
  if (next) return go(next);
  const other = neighbour(table, row, back ? -1 : 1);
  if (other) return go(back ? stops(other).at(-1) : firstStop(other));
  if (back) return byTab ? leave(table, true) : false;
  const made = isEmpty(row) || isFixed(table) ? null : add(table, row);
  if (!made) return leave(table);
  cut(table, made);
  return go(firstStop(made));
}

function vertical(field, table, way) {
  const other = neighbour(table, rowOf(field), way);
  return other && go(fieldAt(other, column(field)) || firstStop(other));
}

function atEdge(field, way) {
  if (field.matches("select") || !["text", "search", "tel", "textarea", undefined].includes(field.type)) return true;
  const { selectionStart: from, selectionEnd: to, value } = field;
  return from === to && from === (way < 0 ? 0 : value.length);
}

/** Ctrl + arrow: every cell of the row, also those one can only read. */
function sideways(from, table, way) {
  const cells = [...from.closest("tr").cells];
  const next = cells[cells.indexOf(from.closest("td")) + way];
  if (!next) return;
  const field = fields(rowOf(next) || next.parentElement).find((candidate) => cellOf(candidate) === next);
  if (field) go(field);
  else {
    next.tabIndex = -1;
    next.focus();
  }
}

// ---- marked rows and row mode -------------------------------------------------------------------

const marked = (table) => rows(table).filter((row) => row.matches(".mark"));

function markTo(table, row) {
  const all = rows(table);
  const from = anchors.get(table)?.isConnected ? anchors.get(table) : row;
  anchors.set(table, from);
  const [low, high] = [all.indexOf(from), all.indexOf(row)].sort((a, b) => a - b);
  all.forEach((one, index) => one.classList.toggle("mark", index >= low && index <= high));
  showMarks(table);
}

function unmark(table) {
  anchors.delete(table);
  for (const row of $$("tr.mark", table)) row.classList.remove("mark");
  showMarks(table);
}

/** "Set column for n rows": the bar under the grid. */
function showMarks(table) {
  const list = marked(table);
  const place = table.closest(".lines, .cd, form") || table.parentElement;
  let bar = $("[data-marks]", place);
  if (list.length < 2) return bar?.remove();
  if (!bar) {
    bar = $("#marks-template")?.content.firstElementChild.cloneNode(true);
    if (!bar) return undefined;
    (table.closest(".xscroll") || table).after(bar);
    const heads = table.tHead.rows[0].cells;
    for (const field of allFields(list[0])) {
      const cell = cellOf(field);
      $("select", bar).add(new Option(labelOf(field) || cell.dataset.label || heads[cell.cellIndex]?.textContent.trim() || column(field), column(field)));
    }
    $("[data-set]", bar).addEventListener("click", () => setMarked(table, bar));
    $("[data-delete]", bar).addEventListener("click", () => drop(table, marked(table)));
    $("select", bar).addEventListener("change", () => offerValue(table, bar));
    bar.addEventListener("keydown", (event) => {
      if (composing(event) || !["Enter", "Escape"].includes(event.key) || event.target.matches("button")) return;
      event.preventDefault();
      if (event.key === "Escape") rowMode(table, marked(table)[0]);
      else if (event.target.matches("[data-value]")) setMarked(table, bar);
      else $("[data-value]", bar).focus();
    });
  }
  $("[data-count]", bar).textContent = text("rows-marked", { n: list.length });
  return bar;
}

/** The value for marked rows is chosen where their cells are. */
function offerValue(table, bar) {
  const old = $("[data-value]", bar);
  const source = fieldAt(marked(table)[0], $("select", bar).value);
  const made = document.createElement(source?.matches("select") ? "select" : "input");
  for (const option of source?.options || []) made.add(new Option(option.text, option.value));
  for (const name of ["class", "aria-label", "data-value"]) made.setAttribute(name, old.getAttribute(name));
  old.replaceWith(made);
}

/** To the bar of the marked rows, with the column in hand chosen. */
function toMarks(table, field) {
  const bar = showMarks(table);
  const choice = $("select", bar);
  if (field && [...choice.options].some((option) => option.value === column(field))) choice.value = column(field);
  offerValue(table, bar);
  (field ? $("[data-value]", bar) : choice).focus();
}

/** The same value in a column of several rows, with Undo. */
function setAll(table, list, col, value) {
  const old = list.map((row) => fieldAt(row, col)).filter(Boolean).map((field) => [field, read(field)]);
  const put = (pairs) => {
    for (const [field, one] of pairs) write(field, one);
    touchAll(table, list.filter((row) => row.isConnected));
    table.dispatchEvent(new Event("input", { bubbles: true }));
  };
  put(old.map(([field]) => [field, value]));
  show({ level: "success", text: text("rows-set", { n: old.length }), undo: () => put(old) });
}

const setMarked = (table, bar) => setAll(table, marked(table), $("select", bar).value, { text: $("[data-value]", bar).value });

function rowMode(table, row) {
  table.classList.add("rowmode");
  for (const old of $$("tr.cur", table)) old.classList.remove("cur");
  row.classList.add("cur");
  const head = $("td.rn", row) || row.cells[0];
  head.tabIndex = -1;
  head.focus();
}

function endRowMode(table) {
  table.classList.remove("rowmode");
  for (const old of $$("tr.cur", table)) old.classList.remove("cur");
}

function drop(table, list) {
  const rowWise = table.classList.contains("rowmode");
  const col = column(document.activeElement) || "";
  unmark(table);
  const left = remove(table, list, (back) => {
    for (const row of back) compute(table, row);
  });
  const next = left || nearest(table) || add(table);
  compute(table, "none"); // the totals alone are new
  if (rowWise) rowMode(table, next);
  else go(fieldAt(next, col) || firstStop(next));
}

/** Move a row, past the edge of the page as well. */
function shift(table, row, way) {
  const all = rows(table);
  if (row === all[way > 0 ? all.length - 1 : 0]) pull(table, way);
  if (move(table, row, way)) compute(table, row);
}

function fillDown(field, table) {
  const list = marked(table);
  const all = rows(table);
  const col = column(field);
  if (list.length > 1) {
    const source = fieldAt(list[0], col);
    if (source) setAll(table, list.slice(1), col, read(source));
    return;
  }
  const above = all[all.indexOf(rowOf(field)) - 1];
  if (!above || !fieldAt(above, col)) return;
  write(field, read(fieldAt(above, col)));
  field.dispatchEvent(new Event("input", { bubbles: true }));
  if (comboOf(field)) write(field, read(fieldAt(above, col))); // the input event has cleared the id
  touch(table, rowOf(field));
}

// ---- keys ---------------------------------------------------------------------------------------

/** Keys that change rows; the same in a cell and in row mode. Returns true if the key was one of them. */
function rowKeys(event, table, row, field) {
  const mod = event.ctrlKey || event.metaKey;
  const rowsStay = isFixed(table);
  const way = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (rowsStay && (mod || event.altKey) && way) return true;
  if (mod && way && !event.shiftKey) {
    const made = way > 0 ? add(table, row) : add(table, null, row);
    if (made) go(firstStop(made));
    if (made) cut(table, made);
  } else if (event.altKey && way && !mod) shift(table, row, way);
  else if (event.shiftKey && way && !mod && !event.altKey) {
    const all = rows(table);
    const goesOn = anchors.has(table) && (row === anchors.get(table) || row.matches(".mark"));
    const from = goesOn ? table.lastMarked : row;
    const to = all[all.indexOf(from) + way] || from;
    if (!goesOn) anchors.set(table, row);
    table.lastMarked = to;
    markTo(table, to);
  } else if (mod && event.key.toLowerCase() === "d") {
    if (event.shiftKey && !rowsStay) {
      const copy = duplicate(table, row);
      if (copy) {
        touch(table, copy);
        go(fieldAt(copy, field ? column(field) : "") || firstStop(copy));
      }
    } else if (field) fillDown(field, table);
  } else if (event.key === "Delete" && (event.altKey || !field) && !rowsStay) drop(table, marked(table).includes(row) ? marked(table) : [row]);
  else if (event.key === "Enter" && event.altKey) details(row);
  else if (event.altKey && /^Page(Up|Down)$/.test(event.key)) $(`[data-turn="${event.key === "PageUp" ? -1 : 1}"]`, formOf(table))?.click();
  else if (event.key === "F2" && marked(table).length > 1) toMarks(table, field);
  else return false;
  return true;
}

function cellKeys(event, table, field) {
  const mod = event.ctrlKey || event.metaKey;
  const arrow = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const dated = field.type === "date";
  if (event.key === "Enter" && !mod) step(field, table, event.shiftKey, false);
  else if (event.key === "Tab" && !mod && !dated) step(field, table, event.shiftKey, true);
  else if (arrow && !mod && !dated) vertical(field, table, arrow);
  else if (side && !event.shiftKey && !event.altKey && !dated && atEdge(field, side)) {
    if (mod) sideways(field, table, side);
    else {
      const order = fields(rowOf(field));
      const next = order[order.indexOf(field) + side];
      if (!next) return false;
      go(next);
    }
  } else if (event.key === "F2") field.setSelectionRange?.(field.value.length, field.value.length);
  else if (event.key === "Escape") {
    const was = before.get(field);
    const now = read(field);
    if (was && (was.text !== now.text || was.id !== now.id)) write(field, was);
    else rowMode(table, rowOf(field));
  } else return false;
  return true;
}

function rowModeKeys(event, table, row) {
  const arrow = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const other = arrow && neighbour(table, row, arrow);
  if (other) rowMode(table, other);
  else if (event.key === "Enter" || event.key === "F2") {
    endRowMode(table);
    go(firstStop(row));
  } else if (event.key === "Escape") {
    endRowMode(table);
    unmark(table);
    leave(table);
  } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") sideways(event.target, table, event.key === "ArrowRight" ? 1 : -1);
  else return false;
  return true;
}

function onKey(event, table) {
  const row = rowOf(event.target);
  if (composing(event) || event.defaultPrevented) return;
  if (event.target.closest("tr.rowdet")) {
    if (panelKeys(event, table)) event.preventDefault();
    return;
  }
  if (!row) return;
  const field = isCell(event.target) && !event.target.closest(".menu") ? event.target : null;
  const inCell = !!field || event.target.closest("td") === event.target;
  if (!inCell) return;
  const done = rowKeys(event, table, row, field) || (field ? cellKeys(event, table, field) : rowModeKeys(event, table, row));
  if (done) event.preventDefault();
}

async function onChange(event, table) {
  const row = event.target !== table && lineOf(event.target);
  if (!row) return;
  const combo = comboOf(event.target);
  if (combo) await settled(combo);
  if (row.isConnected) touch(table, row);
}

export function enhance(root) {
  for (const table of fresh("[data-grid]", root, "gridSeen")) {
    if (!rows(table).length) add(table);
    renumber(table);
    showDetails(table);
    for (const row of rows(table)) posted.set(row, print(row));
  }
}

export function start() {
  on("keydown", "[data-grid]", onKey);
  on("change", "[data-grid]", onChange);
  on("change", "[data-doc-form] :is(input, select)", (event, field) => {
    // of a picker the hidden field counts, it changes when the choice is made
    if (field.closest("[data-grid]") || field.matches("[data-combo] > input[type=text]")) return;
    field.dataset.typed = "1"; // the server does not overwrite it when it fills what follows from another field
    if (field.closest("[data-recompute]")) schedule(field.form, "all", field.name);
  });
  on("grid-page", "[data-grid]", (event, table) => {
    renumber(table);
    showDetails(table);
    unmark(table);
  });
  on("grid-rows", "[data-grid]", (event, table) => {
    renumber(table);
    table.dispatchEvent(new Event("input", { bubbles: true }));
  });
  on("paste", "[data-grid] :is(input, textarea)", (event, field) => {
    if (rowOf(field)) paste(event, field);
  });
  on("focusin", "[data-grid] :is(input, select, textarea)", (event, field) => {
    before.set(field, read(field));
    endRowMode(tableOf(field));
  });
  on("mousedown", "[data-grid] td.rn", (event, cell) => {
    const table = tableOf(cell);
    event.preventDefault();
    if (event.shiftKey) markTo(table, rowOf(cell));
    else {
      unmark(table);
      anchors.set(table, rowOf(cell));
      table.lastMarked = rowOf(cell);
      rowMode(table, rowOf(cell));
    }
  });
  on("click", "[data-grid] [data-row-delete]", (event, button) => drop(tableOf(button), [lineOf(button)]));
  on("click", "[data-grid] [data-row-copy]", (event, button) => {
    const table = tableOf(button);
    const copy = duplicate(table, lineOf(button));
    if (copy) touch(table, copy);
  });
  on("click", "[data-grid] :is([data-row-up], [data-row-down])", (event, button) => {
    const row = lineOf(button);
    shift(tableOf(button), row, button.matches("[data-row-up]") ? -1 : 1);
  });
  on("click", "[data-row-add]", (event, button) => {
    const table = button.dataset.rowAdd ? $(`[data-grid][data-prefix="${button.dataset.rowAdd}"]`) : $("[data-grid]", button.closest("form") || document);
    if (!table) return;
    event.preventDefault();
    const last = lastPage(table) || rows(table).at(-1);
    go(firstStop(last && isEmpty(last) ? last : add(table)));
  });
}
