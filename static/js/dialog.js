// Dialogs, drawers and menus: native <dialog> and <details>; this module opens, closes and labels them.
//
// The server fills #dialog or #drawer (hx-target="#drawer"): <header class="hd"><h2>…</h2></header>
// <div class="bdy">…</div><footer class="ftr">…</footer>, often inside one <form>. An empty answer closes it.

import { composing } from "./ime.js";
import { $, $$, on, visible } from "./core.js";
import { place } from "./toast.js";

const FIRST = ".bdy :is(input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea):not([disabled], [readonly])";

function label(dialog) {
  const title = $("h1, h2", dialog);
  if (!title) return;
  title.id ||= `${dialog.id}-title`;
  dialog.setAttribute("aria-labelledby", title.id);
}

export function open(dialog) {
  label(dialog);
  for (const width of ["w640", "w720", "w960"]) dialog.classList.toggle(width, dialog.firstElementChild?.classList.contains(width) || (dialog.id === "keys" && width === "w640"));
  if (!dialog.open) dialog.showModal();
  // first field; in a dialog that destroys something: Cancel
  ($("[autofocus]", dialog) || $(".errsum", dialog) || $(FIRST, dialog) || $(".ftr [data-close]", dialog) || $("[data-close]", dialog))?.focus();
  place();
}

function ask(question, verb, danger) {
  const dialog = $("#dialog");
  const content = $("#confirm-template").content.cloneNode(true);
  $(".bdy", content).textContent = question;
  const yes = $("[data-yes]", content);
  if (verb) yes.textContent = verb;
  $("h2", content).textContent = verb || $("h2", content).textContent;
  yes.classList.toggle("dng", danger);
  dialog.replaceChildren(content);
  open(dialog);
  return new Promise((resolve) => {
    yes.addEventListener("click", () => { dialog.close("yes"); resolve(true); });
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

const verbOf = (element) => element.dataset.confirmVerb || (element.matches("button") ? element.textContent.trim() : "");

function onSubmit(event) {
  const form = event.target;
  const question = event.submitter?.dataset.confirm || form.dataset.confirm;
  if (!question || form.dataset.confirmed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const button = event.submitter || form;
  ask(question, verbOf(button), button.matches(".dng")).then((yes) => {
    if (!yes) return;
    form.dataset.confirmed = "1";
    form.requestSubmit(event.submitter);
    delete form.dataset.confirmed;
  });
}

function menuKey(event) {
  if (composing(event)) return;
  const menu = event.target.closest?.("details[data-menu][open]");
  if (!menu) return;
  const items = $$(".menu-list :is(a, button, input, select)", menu).filter(visible);
  const at = items.indexOf(document.activeElement);
  if (event.key === "Escape") {
    event.preventDefault();
    menu.open = false;
    $("summary", menu).focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (document.activeElement?.matches("input, select, textarea")) return;
    event.preventDefault();
    items.at((at + (event.key === "ArrowDown" ? 1 : at < 0 ? 0 : -1)) % items.length)?.focus();
  } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.matches("input, textarea")) {
    const hit = $(`[data-menu-key="${CSS.escape(event.key.toLowerCase())}"]`, menu);
    if (hit) {
      event.preventDefault();
      hit.click();
    }
  }
}

/** A menu inside something that scrolls would be cut off: it floats beside its button, upwards if need be. */
function float(menu) {
  const list = $(".menu-list", menu);
  if (!list || !menu.closest(".twrap, .xscroll, .doc-flow, .rwrap, .board, .inboxlist, .dlg .bdy, table.lg")) return;
  const box = $("summary", menu).getBoundingClientRect();
  list.classList.add("fixed");
  const up = box.bottom + list.offsetHeight + 8 > innerHeight && box.top > list.offsetHeight;
  list.style.right = "auto";
  list.style.bottom = "auto";
  list.style.top = `${up ? box.top - list.offsetHeight - 4 : box.bottom + 4}px`;
  list.style.left = `${Math.max(8, Math.min(box.right - list.offsetWidth, innerWidth - list.offsetWidth - 8))}px`;
  window.addEventListener("scroll", (event) => { if (!list.contains(event.target)) menu.open = false; }, { once: true, capture: true, passive: true });
}

export function start() {
  on("click", "[data-dialog-open]", (event, opener) => {
    const dialog = document.getElementById(opener.dataset.dialogOpen);
    if (dialog) {
      event.preventDefault();
      open(dialog);
    }
  });
  on("click", "[data-close]", (event, button) => {
    const dialog = button.closest("dialog");
    if (!dialog) return;
    event.preventDefault();
    dialog.close();
  });
  document.addEventListener("close-layer", () => $$("dialog[open]").at(-1)?.close());
  // the shared layers are emptied when they close; the browser itself returns the focus to the opener
  document.addEventListener("close", (event) => {
    const dialog = event.target;
    place(); // first of all the toasts come out
    if (dialog.matches?.("#dialog, #drawer")) {
      dialog.replaceChildren();
      dialog.removeAttribute("aria-labelledby");
      dialog.returnValue = "";
    }
  }, true);

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target } = event.detail;
    if (target?.matches?.("#dialog, #drawer") && event.detail.shouldSwap) event.detail.swapOverride = "innerHTML";
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const dialog = event.target.closest?.("#dialog, #drawer") || (event.detail.target?.matches?.("#dialog, #drawer") && event.detail.target);
    if (!dialog) return;
    if (!dialog.textContent.trim()) dialog.close();
    else if (event.detail.target === dialog || !dialog.open) open(dialog);
  });
  document.addEventListener("htmx:confirm", (event) => {
    if (!event.detail.question) return;
    event.preventDefault();
    const { elt } = event.detail;
    ask(event.detail.question, verbOf(elt), elt.matches(".dng")).then((yes) => yes && event.detail.issueRequest(true));
  });
  document.addEventListener("submit", onSubmit, true);

  document.addEventListener("keydown", menuKey);
  document.addEventListener("click", (event) => {
    for (const menu of $$("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches?.("details[data-menu]")) return;
    if (menu.open) {
      for (const other of $$("details[data-menu][open]")) if (other !== menu && !other.contains(menu)) other.open = false;
      float(menu);
      $("[autofocus]", menu)?.focus();
    }
  }, true);
  document.addEventListener("focusout", (event) => {
    const menu = event.target.closest?.("details[data-menu][open]");
    if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
}

