// Lists (UX 6.2): row cursor, selection that outlives paging, bulk bar.
//
//   <form data-list [data-total=186] [data-sum-url=…]> <table class="g"> <tr id="r-12" [data-href=…]>
//     <td class="ck"><input type="checkbox" class="cb" name="ids" value="12"></td> … <a class="lk">…</a>
//   <div class="bulk" data-bulk> <b data-bulk-count></b> [data-select-all] [data-bulk-sum] [data-clear-selection]

import { composing } from "./ime.js";
import { $, $$, announce, fresh, isField, on, request, text, visible } from "./core.js";

const views = new Map(); // the same filter = the same selection, whatever the page
let lastBox = null;
let following;

const listOf = (element) => element.closest("[data-list]");
const ROW = "table.g tbody tr, [data-item]"; // [data-item]: rows of a queue that is not a table
const box = (row) => $("input.cb", row);
const rows = (list) => $$(ROW, list).filter((row) => (box(row) || row.dataset.href || $("a.lk", row)) && visible(row));
const isRowBox = (input) => input.matches(".cb") && input.closest(ROW);

function viewKey(list) {
  const url = new URL(location.href);
  for (const name of ["page", "sort", "cursor", "per_page", "size", "list"]) url.searchParams.delete(name);
  url.searchParams.sort();
  return `${list.id}|${url.pathname}?${url.searchParams}`;
}

function chosen(list) {
  const key = viewKey(list);
  if (!views.has(key)) views.set(key, { ids: new Set(), all: false });
  return views.get(key);
}

function paint(list) {
  const mine = chosen(list);
  const boxes = rows(list).map(box).filter(Boolean);
  for (const input of boxes) {
    input.checked = mine.all || mine.ids.has(input.value);
    input.closest(ROW).classList.toggle("sel", input.checked);
  }
  const head = $("[data-check-all]", list);
  if (head) {
    const on_ = boxes.filter((input) => input.checked).length;
    head.checked = boxes.length > 0 && on_ === boxes.length;
    head.indeterminate = on_ > 0 && on_ < boxes.length;
  }
  const n = mine.all ? Number(list.dataset.total || 0) : mine.ids.size;
  for (const bar of bars(list)) {
    bar.classList.toggle("on", n > 0);
    const count = $("[data-bulk-count]", bar);
    if (count) count.textContent = text("selected", { n });
    for (const link of $$("[data-select-all]", bar)) link.hidden = mine.all || !list.dataset.total || Number(list.dataset.total) <= mine.ids.size;
  }
  hidden(list, mine);
  return n;
}

const bars = (list) => $$("[data-bulk]", list).concat(list.id ? $$(`[data-bulk="${list.id}"]`) : []);

/** Rows of other pages go along as hidden fields; "all of the filter" is one field. */
function hidden(list, mine) {
  const form = list.matches("form") ? list : $("form[data-bulk-form]", list) || list.closest("form");
  if (!form) return;
  for (const old of $$("input[data-kept]", form)) old.remove();
  const here = new Set(rows(list).map((row) => box(row)?.value));
  const keep = (name, value) => {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name, value });
    input.dataset.kept = "1";
    form.append(input);
  };
  if (mine.all) {
    keep("all", "1");
    keep("count", list.dataset.total);
  } else for (const id of mine.ids) if (!here.has(id)) keep("ids", id);
}

let sumTimer;
/** The sum of the selected rows comes from the server: the page never shows a figure of its own. */
function sum(list) {
  clearTimeout(sumTimer);
  const place = bars(list).map((bar) => $("[data-bulk-sum]", bar)).find(Boolean);
  if (!place || !list.dataset.sumUrl) return;
  sumTimer = setTimeout(async () => {
    const mine = chosen(list);
    const body = new URLSearchParams(mine.all ? { all: "1" } : [...mine.ids].map((id) => ["ids", id]));
    const answer = await request(list.dataset.sumUrl, { method: "POST", body }).catch(() => null);
    if (answer?.ok) place.textContent = await answer.text();
  }, 250);
}

function select(list, inputs, checked) {
  const mine = chosen(list);
  if (mine.all) {
    mine.all = false;
    mine.ids = new Set(rows(list).map((row) => box(row)?.value).filter(Boolean));
  }
  for (const input of inputs) mine.ids[checked ? "add" : "delete"](input.value);
  const n = paint(list);
  sum(list);
  if (bars(list).length) announce(text("selected", { n }));
}

function clear(list) {
  views.set(viewKey(list), { ids: new Set(), all: false });
  paint(list);
}

function onBox(event, input) {
  const list = listOf(input);
  if (!list) return;
  if (input.matches("[data-check-all]")) {
    select(list, rows(list).map(box).filter(Boolean), input.checked);
    return;
  }
  if (!isRowBox(input)) return;
  const all = rows(list).map(box).filter(Boolean);
  let range = [input];
  if (event.shiftKey && lastBox?.isConnected && all.includes(lastBox)) {
    const [low, high] = [all.indexOf(lastBox), all.indexOf(input)].sort((a, b) => a - b);
    range = all.slice(low, high + 1);
  }
  lastBox = input;
  select(list, range, input.checked);
}

// ---- row cursor ---------------------------------------------------------------------------------

const cursor = (list) => rows(list).find((row) => row.matches(".cur"));

/** Take a row in hand. What stands beside a queue goes with it: keys never act on another row than the marked one. */
function take(list, row) {
  const before = cursor(list);
  if (before === row) return;
  before?.classList.remove("cur");
  row.classList.add("cur");
  if (!row.hasAttribute("hx-get")) return;
  $("#beside").replaceChildren();
  clearTimeout(following);
  following = setTimeout(() => row.dispatchEvent(new Event("follow")), 120);
}

function put(list, row) {
  if (!row) return;
  take(list, row);
  row.scrollIntoView({ block: "nearest" });
  const link = target(row);
  link?.focus({ preventScroll: true });
}

const target = (row) => $("a.lk, td.pri a, a[href]", row);

function onKey(event) {
  if (composing(event) || event.defaultPrevented || event.altKey || isField(event.target) || $("dialog[open]") || event.target.closest?.("[data-grid], details[open] .menu-list")) return;
  const list = $$("[data-list]").find(visible);
  if (!list || document.documentElement.dataset.keys === "off") return;
  const all = rows(list);
  if (!all.length) return;
  const at = all.indexOf(cursor(list));
  const key = event.key.toLowerCase();
  const mod = event.ctrlKey || event.metaKey;
  const inTable = event.target === document.body || event.target.closest?.("[data-list] table, main");
  const way = key === "j" || (key === "arrowdown" && at >= 0) ? 1 : key === "k" || (key === "arrowup" && at >= 0) ? -1 : 0;
  if (way && !mod) {
    const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + way))];
    if (event.shiftKey && at >= 0) select(list, [all[at], next].map(box).filter(Boolean), true);
    put(list, next);
  } else if (key === "x" && !mod && at >= 0 && box(all[at])) {
    select(list, [box(all[at])], !box(all[at]).checked);
    lastBox = box(all[at]);
  } else if (key === "enter" && at >= 0 && inTable && (event.target.contains(all[at]) || all[at].contains(event.target))) {
    const href = all[at].dataset.href || target(all[at])?.href;
    if (!href || event.target.closest("button, summary, input")) return;
    if (mod) window.open(href, "_blank", "noopener");
    else location.assign(href);
  } else if (at >= 0 && !mod && $(`[data-row-key="${CSS.escape(key)}"]`, all[at])) {
    $(`[data-row-key="${CSS.escape(key)}"]`, all[at]).click(); // approve, reject, … of the row in hand
  } else if (key === "escape" && chosen(list).ids.size) clear(list);
  else return;
  event.preventDefault();
}

// ---- wide tables --------------------------------------------------------------------------------

const watcher = new ResizeObserver((entries) => {
  for (const { target: wrap } of entries) {
    const table = $("table", wrap);
    if (!table) continue;
    const over = table.scrollWidth > wrap.clientWidth + 1;
    wrap.classList.toggle("over", over);
    if (over) Object.entries({ tabindex: "0", role: "region", "aria-label": $("caption", wrap)?.textContent || $("h1")?.textContent || "" }).forEach(([name, value]) => wrap.setAttribute(name, value));
    else for (const name of ["tabindex", "role", "aria-label"]) wrap.removeAttribute(name);
  }
});

export function enhance(root) {
  for (const wrap of fresh(".twrap", root, "wrapSeen")) watcher.observe(wrap);
  for (const list of fresh("[data-list]", root, "listSeen")) paint(list);
  // a swapped table inside a list that stays
  const outer = root instanceof Element && listOf(root);
  if (outer) paint(outer);
  const here = location.hash.startsWith("#r-") && document.getElementById(location.hash.slice(1));
  if (here && root === document) put(listOf(here) || here.parentElement, here);
}

export function start() {
  on("click", "[data-list] input[type=checkbox]", onBox);
  on("click", "[data-list] :is(table.g tbody tr, [data-item])", (event, row) => {
    const list = listOf(row);
    if (event.target.closest("a, button, input, select, summary, label")) return;
    take(list, row);
    if (innerWidth < 768) target(row)?.click(); // on a phone a tap on the card opens it (UX 7.14)
  });
  on("click", "[data-edit-filter]", (event, chip) => {
    const field = $(`[data-filter="${chip.dataset.editFilter}"]`, chip.form);
    setTimeout(() => { // a click outside of a menu closes it
      field.closest("details").open = true;
      $(":is(input, select):not([type=hidden], [type=checkbox]:not(:checked), .ops *)", field)?.focus();
    });
  });
  on("click", "[data-clear-selection]", (event, button) => {
    const list = listOf(button) || $("[data-list]");
    if (list) clear(list);
  });
  on("click", "[data-select-all]", (event, link) => {
    const list = listOf(link) || $("[data-list]");
    if (!list) return;
    event.preventDefault();
    chosen(list).all = true;
    paint(list);
    sum(list);
  });
  document.addEventListener("keydown", onKey);
  document.addEventListener("htmx:beforeSwap", (event) => { // of a row that was left meanwhile
    if (event.detail.target.id === "beside" && !event.detail.requestConfig.elt.matches(".cur")) event.detail.shouldSwap = false;
  });
}
