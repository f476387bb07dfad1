// Toasts (UX 4.4): bottom left, at most three; success 5 s, undo 10 s, errors stay until closed.
// Opened by the server (HX-Trigger {"toast": {level, text, undo_url}}), by Django's messages or by show().

import { $, $$, fresh, on, text } from "./core.js";

const SECONDS = { success: 5, info: 5, debug: 5, warning: 8 };

function arm(toast, seconds) {
  if (!seconds) return;
  let timer;
  const start = () => { timer = setTimeout(() => toast.remove(), seconds * 1000); };
  const hold = () => clearTimeout(timer);
  for (const type of ["mouseenter", "focusin"]) toast.addEventListener(type, hold);
  for (const type of ["mouseleave", "focusout"]) toast.addEventListener(type, start);
  start();
}

/** Everything outside an open modal dialog is inert, so the toasts move into the topmost one. */
export function place() {
  const box = $("#toasts");
  const host = $$("dialog[open]").filter((dialog) => dialog.matches(":modal")).at(-1) || document.body;
  if (box && box.parentElement !== host) host.append(box);
}

export function show({ level = "info", text: message = "", undo_url: undoUrl, undo, action }) {
  const box = $("#toasts");
  const template = $("#toast-template");
  if (!box || !template || !message) return null;
  const toast = template.content.firstElementChild.cloneNode(true);
  toast.classList.add(level);
  toast.setAttribute("role", level === "error" ? "alert" : "status");
  $(".tx", toast).textContent = message;
  const button = $("[data-toast-undo]", toast);
  const run = undo || (undoUrl && (() => window.htmx.ajax("POST", undoUrl, { swap: "none" })));
  if (run) {
    button.hidden = false;
    if (action) button.textContent = action;
    button.addEventListener("click", () => { toast.remove(); run(); });
  }
  place();
  box.append(toast);
  for (const old of $$(".tst", box).slice(0, -3)) old.remove();
  arm(toast, level === "error" ? 0 : run ? 10 : SECONDS[level] || 5);
  return toast;
}

export function enhance(root) {
  for (const toast of fresh("[data-toast]", root, "toastSeen")) arm(toast, $("form", toast) ? 10 : SECONDS[toast.dataset.toast.split(" ").at(-1)]);
}

export function start() {
  on("click", "[data-toast-close]", (event, button) => button.closest(".tst").remove());
  document.addEventListener("toast", (event) => show(event.detail || {}));
}

export const failed = (message, retry) => show({ level: "error", text: message, undo: retry, action: retry && text("retry") });

/** What the server did not do: too much was asked of it at once, or it failed (UX 5.3). */
export const refused = (status, id, retry) => failed(text(status === 429 ? "too-many" : "server-error", { request: id || status }), retry);
