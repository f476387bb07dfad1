// The one table of keys (UX 7.1): scope, key, label (a name in strings.html), and the control that does the
// same by click. Entries without `go` are handled by the module named in `scope`; they are listed for the ? dialog.
// Pages add keys of their own with data-key="e" on the control; its words become the label.

import { composing } from "./ime.js";
import { $, $$, fresh, isField, on, text, visible } from "./core.js";

const TABLE = [
  { scope: "everywhere", key: "Mod+k", label: "key-find", go: "#find" },
  { scope: "everywhere", key: "/", label: "key-filter", go: "[data-search], [data-filter-input] | #find" },
  { scope: "everywhere", key: "?", label: "key-help", go: "#help-button" },
  { scope: "everywhere", key: "\\", label: "key-side", go: "[data-fold-side]" },
  { scope: "everywhere", key: "Escape", label: "key-close" },
  ...["h", "t", "c", "o", "v", "s", "r"].map((letter) => ({ scope: "go", key: `g ${letter}`, go: `[data-go="${letter}"]` })),
  { scope: "form", key: "Mod+s", label: "key-save" },
  { scope: "form", key: "Mod+Enter", label: "key-primary" },
  ...["j", "k", "x", "Shift+j", "Enter", "Mod+Enter"].map((key) => ({ scope: "list", key, label: `key-list-${key.toLowerCase()}` })),
  { scope: "grid", key: "F8", label: "key-grid-f8", go: "[data-scan]" },
  ...["Enter", "Shift+Enter", "ArrowUp", "Mod+ArrowDown", "Mod+ArrowUp", "Mod+d", "Mod+Shift+d", "Alt+Delete", "Alt+ArrowUp", "Alt+ArrowDown",
    "Shift+ArrowDown", "F2", "Alt+Enter", "Alt+PageDown", "Escape"].map((key) => ({ scope: "grid", key, label: `key-grid-${key.toLowerCase()}` })),
];
const PRESENT = { form: "form[data-doc-form], form[data-warn]", list: "[data-list]", grid: "[data-grid]" };
const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const SHOWN = { Mod: MAC ? "⌘" : "Ctrl", Escape: "Esc", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Shift: "Shift" };

/** "Mod+Shift+d" for an event; Mod is Ctrl, or the command key on a Mac. */
export function name(event) {
  const key = event.key === " " ? "Space" : event.key;
  const plain = key.length === 1;
  return [(event.ctrlKey || event.metaKey) && "Mod", event.altKey && "Alt",
    event.shiftKey && (!plain || /[a-z]/i.test(key)) && "Shift", plain ? key.toLowerCase() : key].filter(Boolean).join("+");
}

const shown = (key) => key.split(" ").map((part) => part.split("+").map((bit) => SHOWN[bit] || (bit.length === 1 ? bit.toUpperCase() : bit)).join(" ")).join(" ");

function fire(element) {
  if (element.disabled) return;
  if (isField(element)) {
    element.focus();
    element.select?.();
  } else element.click();
}

/** The first control on the page; after a bar stands what to take if there is none. */
const first = (selector) => selector.split(" | ").map((one) => $$(one).find(visible)).find(Boolean);

let prefix = "";
let timer;

function onKey(event) {
  if (composing(event) || event.defaultPrevented || $("dialog[open]")) return;
  const key = name(event);
  const single = !/Mod|Alt|^F\d/.test(key);
  if (single && (isField(event.target) || document.documentElement.dataset.keys === "off")) return;
  const full = prefix ? `${prefix} ${key}` : key;
  prefix = "";
  clearTimeout(timer);
  if (full === "g" && !event.repeat) {
    prefix = "g";
    timer = setTimeout(() => { prefix = ""; }, 1200);
    return;
  }
  const entry = TABLE.find((row) => row.key === full && row.go);
  const tab = /^g [1-9]$/.test(full) && $$(".tabs > a").filter(visible)[full.at(-1) - 1];
  // the links of "go to" also work while their group of the menu is folded
  const target = tab || (entry && (entry.scope === "go" ? $(entry.go) : first(entry.go))) || first(`[data-key="${CSS.escape(full)}"]`);
  if (!target) return;
  event.preventDefault();
  fire(target);
}

function words(element) {
  const clone = element.cloneNode(true);
  for (const kbd of $$("kbd", clone)) kbd.remove();
  return element.dataset.keyLabel || element.getAttribute("aria-label") || clone.textContent.trim().replace(/\s+/g, " ");
}

function rows() {
  const list = TABLE.filter((row) => (row.go ? first(row.go) || (row.scope === "go" && $(row.go)) : !PRESENT[row.scope] || $(PRESENT[row.scope])))
    .map((row) => ({ ...row, words: row.label ? text(row.label) : words($(row.go)) }));
  for (const element of $$("[data-key]")) {
    if (visible(element)) list.push({ scope: "page", key: element.dataset.key, words: words(element) });
  }
  return list.filter((row) => row.words);
}

function node(tag, content, className) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...[content].flat());
  return element;
}

function open() {
  const dialog = $("#keys");
  const groups = Object.groupBy ? Object.groupBy(rows(), (row) => row.scope) : rows().reduce((all, row) => {
    (all[row.scope] ||= []).push(row);
    return all;
  }, {});
  const sections = ["page", "everywhere", "go", "list", "form", "grid"].filter((scope) => groups[scope]).map((scope) => node("section", [
    node("h3", text(`keys-${scope}`)),
    node("dl", groups[scope].flatMap((row) => [node("dt", row.words), node("dd", node("kbd", shown(row.key)))])),
  ]));
  $("[data-keys-list]", dialog).replaceChildren(node("div", sections, "keys"));
  if (!dialog.open) dialog.showModal();
}

export function enhance(root) {
  // tell assistive technology about the keys that a control has
  for (const element of fresh("[data-key]", root, "keySeen")) {
    element.setAttribute("aria-keyshortcuts", element.dataset.key.replace("Mod", MAC ? "Meta" : "Control"));
    if (!element.title && !$("kbd", element)) element.title = `${words(element)} (${shown(element.dataset.key)})`;
  }
}

export function start() {
  document.addEventListener("keydown", onKey);
  on("click", "[data-open-keys]", (event) => {
    event.preventDefault();
    open();
  });
}
