// Nothing typed is lost (UX 6.5.9): unsaved forms are kept on the server, every 15 s and when the page goes out of sight.
// A warning on leaving is left for forms that the server does not keep, or could not.

import { $, fresh, on, request } from "./core.js";

const FORMS = "form[data-doc-form], form[data-warn], form#form";
const SECONDS = 15;
const dirty = new Set();
const kept = new WeakMap(); // form -> what the server was sent last
const lost = new Set(); // forms that it did not take

const atRisk = (form) => form.isConnected && (lost.has(form) || form.dataset.draftUrl === undefined);

const warn = (event) => {
  if (![...dirty].some(atRisk)) return;
  event.preventDefault();
  event.returnValue = "";
};

// the listener exists only while there is something to lose: it would keep pages out of the back/forward cache
function set(form, yes) {
  if (yes) dirty.add(form);
  else dirty.delete(form);
  window[[...dirty].some(atRisk) ? "addEventListener" : "removeEventListener"]("beforeunload", warn);
}

async function keep(form) {
  const fields = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken" && !$(`[type=password][name="${CSS.escape(name)}"]`, form));
  const body = new URLSearchParams(fields);
  const typed = `${body}`;
  if (!form.dataset.draftUrl || kept.get(form) === typed) return; // only typing keeps a session in use
  kept.set(form, typed);
  const answer = await request(form.dataset.draftUrl, { method: "POST", body, keepalive: typed.length < 60000 }).catch(() => null);
  if (!dirty.has(form)) return;
  lost[answer?.ok ? "delete" : "add"](form);
  if (!answer?.ok && answer?.status !== 413) kept.delete(form);
  set(form, true);
}

const keepAll = () => { for (const form of dirty) if (form.isConnected) keep(form); };

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
    if (event.target.matches?.(FORMS) && event.detail.successful) set(event.target, false);
  });
  setInterval(keepAll, SECONDS * 1000);
  document.addEventListener("visibilitychange", () => document.hidden && keepAll());
}
