// Nothing typed is lost (UX 6.5.9): a warning on leaving a form with unsaved changes.
// Server-side drafts will hook in here; then the warning stays for a failed draft only.

import { $, fresh, on } from "./core.js";

const FORMS = "form[data-doc-form], form[data-warn], form#form";
const dirty = new Set();

const warn = (event) => {
  if (![...dirty].some((form) => form.isConnected)) return;
  event.preventDefault();
  event.returnValue = "";
};

// the listener exists only while there is something to lose: it would keep pages out of the back/forward cache
function set(form, yes) {
  if (yes) dirty.add(form);
  else dirty.delete(form);
  window[dirty.size ? "addEventListener" : "removeEventListener"]("beforeunload", warn);
}

/** A form that came back with errors is unsaved from the start. */
export function enhance(root) {
  for (const form of fresh(FORMS, root, "draftSeen")) if (form.matches("[data-dirty]") || $(".errsum", form)) set(form, true);
}

export function start() {
  for (const type of ["input", "change"]) {
    on(type, FORMS, (event, form) => {
      if (event.isTrusted || event.target.closest("[data-grid], [data-combo]")) set(form, true);
    });
  }
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented) set(event.target, false);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest?.(FORMS);
    if (form && event.detail.successful) set(form, false);
  });
}
