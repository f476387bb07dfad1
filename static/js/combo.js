// Pickers (UX 6.5.4): a text field, a hidden field with the chosen id, and a list that the server renders.
//
//   <div class="combo" data-combo data-url="/ui/pick/crm.customer/" data-depends="currency">
//     <input type="text" name="customer_text" id="id_customer" value="C-001 Mingrui">
//     <input type="hidden" name="customer" value="12"></div>
//
// The answer to GET data-url?q=… is <div class="ac"> with <div class="o" role="option" data-value data-label
// [data-code] [data-create=URL]> and an optional <div class="ft">. Without JavaScript the server resolves the text.

import { composing } from "./ime.js";
import { $, $$, announce, fragment, fresh, on, request, text } from "./core.js";

const WAIT = 150; // ms after the last key
const states = new WeakMap();
let opened = null; // the combo whose list is open
let creator = null; // the combo that opened the drawer to create a record
let serial = 0;

const field = (combo) => $("input[type=text]", combo);
const store = (combo) => $("input[type=hidden]", combo);
const state = (combo) => {
  if (!states.has(combo)) states.set(combo, { timer: 0, index: -1, list: null, shownFor: null, settling: Promise.resolve(), before: store(combo).value });
  return states.get(combo);
};
const options = (combo) => (state(combo).list ? $$(".o:not([aria-disabled])", state(combo).list) : []);
const jumps = (combo) => "jump" in combo.dataset; // the search in the top bar: options are addresses, nothing is chosen
const inGrid = (combo) => !!combo.closest("[data-grid]");

function address(combo, query) {
  const url = new URL(combo.dataset.url, location.href);
  url.searchParams.set("q", query);
  const row = combo.closest("[data-row]");
  const form = field(combo).form;
  for (const key of (combo.dataset.depends || "").split(",").filter(Boolean)) {
    const near = row && $(`[name$="-${key}"]`, row);
    const source = near || form?.elements.namedItem(key);
    if (source?.value !== undefined) url.searchParams.set(key, source.value);
  }
  return url;
}

/** Ask the server; resolves to the element of the list, or null if a newer question came in between. */
async function ask(combo, query) {
  const mine = state(combo);
  mine.abort?.abort();
  mine.abort = new AbortController();
  combo.setAttribute("aria-busy", "true");
  try {
    const answer = await request(address(combo, query), { signal: mine.abort.signal, headers: { "HX-Target": "combo" } });
    if (!answer.ok) return null;
    return $(".ac", fragment(await answer.text()));
  } catch (error) {
    if (error.name !== "AbortError") announce(text("offline"), true);
    return null;
  } finally {
    combo.removeAttribute("aria-busy");
  }
}

function position(combo) {
  const { list } = state(combo);
  const box = field(combo).getBoundingClientRect();
  const below = innerHeight - box.bottom - 8;
  const above = box.top - 8;
  list.style.minWidth = `${box.width}px`;
  const height = list.offsetHeight;
  const up = height > below && above > below;
  list.style.left = `${Math.max(8, Math.min(box.left, innerWidth - list.offsetWidth - 8))}px`;
  list.style.top = `${up ? Math.max(8, box.top - height - 4) : box.bottom + 4}px`;
}

function show(combo, list, query) {
  close(combo);
  const mine = state(combo);
  serial += 1;
  // the list box holds options only; the foot with its keys stays outside of it
  const box = document.createElement("div");
  box.className = "os";
  box.id = `ac-${serial}`;
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", field(combo).getAttribute("aria-label") || field(combo).labels?.[0]?.textContent.trim() || text("choices"));
  $$(".o", list).forEach((option, index) => {
    option.id = `ac-${serial}-${index}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    box.append(option);
  });
  list.removeAttribute("role");
  list.removeAttribute("id");
  list.prepend(box);
  list.classList.add("float");
  combo.append(list);
  Object.assign(mine, { list, index: -1, shownFor: query });
  if (list.showPopover) {
    list.popover = "manual";
    list.showPopover();
  }
  opened = combo;
  position(combo);
  const input = field(combo);
  input.setAttribute("aria-expanded", "true");
  input.setAttribute("aria-controls", box.id);
  if (query && options(combo)[0] && !options(combo)[0].dataset.create) mark(combo, 0); // never "create" by a mere Enter
  announce(text("hits", { n: options(combo).filter((option) => !option.dataset.create).length }));
}

export function close(combo = opened) {
  if (!combo) return;
  const mine = state(combo);
  mine.list?.remove();
  Object.assign(mine, { list: null, index: -1, moved: false });
  const input = field(combo);
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
  input.removeAttribute("aria-controls");
  if (opened === combo) opened = null;
}

function mark(combo, index) {
  const all = options(combo);
  if (!all.length) return;
  const mine = state(combo);
  mine.index = (index + all.length) % all.length;
  all.forEach((option, position_) => {
    option.classList.toggle("on", position_ === mine.index);
    option.setAttribute("aria-selected", String(position_ === mine.index));
  });
  all[mine.index].scrollIntoView({ block: "nearest" });
  field(combo).setAttribute("aria-activedescendant", all[mine.index].id);
}

async function look(combo, query) {
  const list = await ask(combo, query);
  if (list && document.activeElement === field(combo) && field(combo).value.trim() === query) show(combo, list, query);
}

/** Put a choice in, and tell the page about it by a change event on the hidden field. */
export function pick(combo, value, label) {
  clearTimeout(state(combo).timer);
  state(combo).abort?.abort(); // an answer that is on its way would open the list again
  field(combo).value = label;
  combo.classList.toggle("picked", value !== "");
  field(combo).removeAttribute("aria-invalid");
  commit(combo, value);
  close(combo);
}

function commit(combo, value) {
  const hidden = store(combo);
  const mine = state(combo);
  hidden.value = value;
  if (mine.before === value) return;
  mine.before = value;
  hidden.dispatchEvent(new Event("change", { bubbles: true }));
}

function take(combo, option) {
  if (option.dataset.href) {
    location.assign(option.dataset.href);
    return;
  }
  if (option.dataset.create) {
    creator = combo;
    const url = new URL(option.dataset.create, location.href);
    const typed = field(combo).value.trim();
    if (typed) url.searchParams.set("name", typed);
    close(combo);
    window.htmx.ajax("GET", url.pathname + url.search, { target: "#drawer", swap: "innerHTML", source: combo });
    return;
  }
  pick(combo, option.dataset.value, option.dataset.label ?? option.textContent.trim());
}

const same = (a, b) => !!a && a.trim().toLowerCase() === b.toLowerCase();

function onlyHit(list, query) {
  const real = $$(".o:not([aria-disabled])", list).filter((option) => !option.dataset.create);
  return real.find((option) => "exact" in option.dataset || same(option.dataset.code, query) || same(option.dataset.label, query) || same(option.dataset.label?.split(/\s/)[0], query))
    || (real.length === 1 ? real[0] : null);
}

/** On leaving: a text without an id takes the exact or the only hit. The promise lets the grid wait. */
export function settle(combo) {
  const mine = state(combo);
  clearTimeout(mine.timer);
  const query = field(combo).value.trim();
  if (jumps(combo) || store(combo).value || !query) {
    if (!query) commit(combo, "");
    close(combo);
    return;
  }
  if (mine.list && mine.shownFor === query) {
    const hit = mine.moved ? options(combo)[mine.index] : onlyHit(mine.list, query);
    if (hit && !hit.dataset.create) take(combo, hit);
    else commit(combo, "");
    close(combo);
    return;
  }
  close(combo);
  mine.settling = ask(combo, query).then((list) => {
    if (store(combo).value || field(combo).value.trim() !== query) return;
    const hit = list && onlyHit(list, query);
    if (hit) take(combo, hit);
    else commit(combo, "");
  });
}

export const settled = (combo) => state(combo).settling;

function onInput(combo) {
  const mine = state(combo);
  if (store(combo).value) store(combo).value = "";
  combo.classList.remove("picked");
  clearTimeout(mine.timer);
  const query = field(combo).value.trim();
  if (!query) {
    close(combo);
    return;
  }
  mine.timer = setTimeout(() => look(combo, query), WAIT);
}

function onKey(event, combo) {
  if (composing(event)) return;
  const mine = state(combo);
  const isOpen = !!mine.list;
  const query = field(combo).value.trim();
  if (event.key === "ArrowDown" && !isOpen && !event.ctrlKey && !event.shiftKey && (inGrid(combo) ? event.altKey && !query : true)) {
    event.preventDefault();
    look(combo, store(combo).value ? "" : query).then(() => store(combo).value && recent(combo));
  } else if (isOpen && event.altKey && event.key === "ArrowUp" && inGrid(combo)) {
    close(combo); // the row moves, see gridrows.js
    return false;
  } else if (isOpen && (event.key === "ArrowDown" || event.key === "ArrowUp") && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    mine.moved = true;
    mark(combo, mine.index < 0 && event.key === "ArrowUp" ? -1 : mine.index + (event.key === "ArrowDown" ? 1 : -1));
  } else if (isOpen && (event.key === "Home" || event.key === "End") && mine.moved) {
    event.preventDefault();
    mark(combo, event.key === "Home" ? 0 : -1);
  } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const fits = isOpen && mine.index >= 0 && (mine.moved || mine.shownFor === query);
    if (fits) {
      const option = options(combo)[mine.index];
      if (option.dataset.create) event.preventDefault();
      take(combo, option);
    } else if (jumps(combo) && query) {
      clearTimeout(mine.timer); // its question would take the place of this one
      look(combo, query).then(() => (options(combo)[0] ? take(combo, options(combo)[0]) : combo.submit()));
    } else settle(combo);
    // in a grid and in document heads Enter goes on to the next field, see grid.js and forms.js
    if (!inGrid(combo) && !field(combo).form?.matches("[data-doc-form]")) event.preventDefault();
  } else if (event.key === "Escape" && isOpen) {
    event.preventDefault();
    event.stopPropagation();
    close(combo);
  } else if (event.key === "Tab" && isOpen && mine.moved) {
    const option = options(combo)[mine.index];
    if (!option.dataset.create) take(combo, option);
  }
}

/** The list over a value that is already chosen: everything, as if the field were empty. */
async function recent(combo) {
  const list = await ask(combo, "");
  if (list && document.activeElement === field(combo)) show(combo, list, "");
}

export function enhance(root) {
  for (const combo of fresh("[data-combo]", root, "comboSeen")) {
    const input = field(combo);
    for (const [key, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-haspopup": "listbox", autocomplete: "off", spellcheck: "false" })) input.setAttribute(key, value);
    combo.classList.toggle("picked", !!store(combo).value);
    state(combo);
  }
}

export function start() {
  on("input", "[data-combo] > input[type=text]", (event, input) => onInput(input.parentElement));
  on("keydown", "[data-combo] > input[type=text]", (event, input) => onKey(event, input.parentElement));
  on("focusin", "[data-combo] > input[type=text]", (event, input) => { state(input.parentElement).before = store(input.parentElement).value; });
  on("focusout", "[data-combo] > input[type=text]", (event, input) => settle(input.parentElement));
  on("mousedown", "[data-combo] .ac", (event) => event.preventDefault()); // the field keeps the focus
  on("click", "[data-combo] .ac .o", (event, option) => option.ariaDisabled || take(option.closest("[data-combo]"), option));
  on("click", "[data-combo] > input[type=text]", (event, input) => {
    const combo = input.parentElement;
    if (!inGrid(combo) && !state(combo).list && !input.readOnly) (store(combo).value || !input.value.trim() ? recent(combo) : look(combo, input.value.trim()));
  });
  for (const type of ["scroll", "resize"]) {
    window.addEventListener(type, (event) => {
      if (opened && !(event.target instanceof Element && event.target.closest(".ac"))) position(opened);
    }, { capture: true, passive: true });
  }
  // the drawer has made a new record: {"picked": {"value": 12, "label": "…"}}
  document.addEventListener("picked", (event) => {
    if (creator?.isConnected) {
      pick(creator, String(event.detail.value), event.detail.label ?? "");
      $("#drawer")?.close();
      field(creator).focus();
    }
    creator = null;
  });
}
