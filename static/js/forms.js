// Forms: sent once, Ctrl+S and Ctrl+Enter, Enter goes on in document heads, focus on the error summary.

import { composing } from "./ime.js";
import { $, $$, focusEnd, fresh, on, visible } from "./core.js";

const FIELD = "input:not([type=hidden], [type=submit], [type=button]), select, textarea";
const buttonsOf = (form) => [...form.elements].filter((element) => element.matches("button:not([type=button]), input[type=submit]"));

function lock(form) {
  form.setAttribute("aria-busy", "true");
  for (const button of buttonsOf(form)) {
    if (button.disabled) continue;
    button.disabled = true;
    button.dataset.locked = "1";
  }
}

export function unlock(form) {
  form.removeAttribute("aria-busy");
  delete form.dataset.sent;
  for (const button of buttonsOf(form)) {
    if (!button.dataset.locked) continue;
    button.disabled = false;
    delete button.dataset.locked;
  }
}

function onSubmit(event) {
  const form = event.target;
  if (event.defaultPrevented || form.matches("[data-no-busy]") || form.hasAttribute("hx-get")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.method !== "post" || form.target === "_blank") return;
  form.dataset.sent = "1";
  // after this turn, so that the pressed button's own name and value are still sent
  setTimeout(() => (event.defaultPrevented ? unlock : lock)(form), 0);
  if (event.submitter?.matches("[data-download]")) setTimeout(() => unlock(form), 4000);
}

const formAtHand = () => {
  const dialog = $$("dialog[open]").at(-1);
  const scope = dialog || document;
  return document.activeElement?.closest("form[method=post]:not([data-no-busy], .inline)") || $("form[data-doc-form], form[data-warn], form#form", scope) || (dialog && $("form", dialog));
};

function press(form, selectors) {
  const id = form.id && CSS.escape(form.id);
  for (const selector of selectors) {
    const button = [...$$(selector, form), ...(id ? $$(`${selector}[form="${id}"]`) : [])].find((one) => visible(one) && !one.disabled);
    if (button) {
      button.click();
      return true;
    }
  }
  return false;
}

function onKey(event) {
  if (composing(event)) return;
  const mod = event.ctrlKey || event.metaKey;
  if (mod && !event.altKey && event.key.toLowerCase() === "s") {
    const form = formAtHand();
    if (form && press(form, ["[data-save]", "button:not([type=button])", "input[type=submit]"])) event.preventDefault();
  } else if (mod && event.key === "Enter") {
    const form = formAtHand();
    const next = !form && !$("dialog[open]") && $$("[data-primary]").find(visible); // the next step of a record
    if (form ? press(form, ["[data-primary]", "button.pri", "[data-save]", "button:not([type=button])"]) : next) event.preventDefault();
    if (next) next.click();
  } else if (event.key === "Enter" && !mod && !event.altKey && !event.defaultPrevented && event.target.matches?.("[data-doc-form] :is(input, select)")) headEnter(event);
}

/** In a document Enter is "next field", never "send": a half-typed order must not go off. */
function headEnter(event) {
  const field = event.target;
  if (field.closest("[data-grid]") || field.matches("[type=submit], [type=button], [type=file]")) return;
  event.preventDefault();
  // in a new document the partner is enough to begin with: Enter there leads to the lines, Tab through the head
  const lines = !event.shiftKey && field.value && field.form.matches("[data-autofocus]") && field.closest("[data-combo]") === $("[data-combo]", field.form)
    && $$("[data-grid] tr[data-row] td:not(.ro) :is(input:not([type=hidden]), select)", field.form).find(visible);
  if (lines) {
    focusEnd(lines);
    return;
  }
  const all = $$(FIELD, field.form).filter((one) => visible(one) && !one.disabled && !one.readOnly && one.tabIndex >= 0 && !one.closest("td.rn, .menu-list"));
  const next = all[all.indexOf(field) + (event.shiftKey ? -1 : 1)];
  if (next) focusEnd(next);
}

export function enhance(root) {
  const summary = fresh(".errsum", root, "errSeen")[0];
  if (summary && visible(summary)) {
    summary.tabIndex = -1;
    if (!document.activeElement || document.activeElement === document.body || root !== document) summary.focus();
  }
  for (const field of fresh(".fld.err", root, "fldSeen")) {
    const list = $(".errlist, .errorlist", field);
    const input = $("input:not([type=hidden]), select, textarea", field);
    if (!list || !input) continue;
    list.id ||= `${input.id}-err`;
    input.setAttribute("aria-invalid", "true");
    if (!input.getAttribute("aria-describedby")?.includes(list.id)) input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby") || ""} ${list.id}`.trim());
  }
  // new documents start in their first wrong or else first empty field
  for (const form of fresh("form[data-autofocus]", root, "focusSeen")) {
    const wrong = $$("[aria-invalid=true]", form).find(visible);
    (wrong || $$(FIELD, form).find((one) => visible(one) && !one.value && !one.readOnly))?.focus();
  }
}

export function start() {
  document.addEventListener("submit", onSubmit);
  document.addEventListener("keydown", onKey);
  on("change", "[data-autosubmit]", (event, element) => (element.form || element.closest("form"))?.requestSubmit());
  // the links of the error summary go into the field, pickers and grids included
  on("click", ".errsum a[href^='#']", (event, link) => {
    const field = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!field) return;
    event.preventDefault();
    focusEnd(field);
    field.scrollIntoView({ block: "center" });
  });
  on("input", ".fld.err", (event, box) => {
    box.classList.remove("err");
    event.target.removeAttribute("aria-invalid");
    $(".errlist, .errorlist", box)?.remove();
  });
  on("click", "[data-focus]", (event, link) => {
    const field = document.getElementById(link.dataset.focus);
    if (!field) return;
    event.preventDefault();
    focusEnd(field);
    field.scrollIntoView({ block: "center" });
  });
  // the channel of a talk is chosen by hand, the words follow; arrow keys stay among the channels
  on("click", ".ctabs input", (event, choice) => event.detail && $("textarea", choice.form).focus());
  // a link from elsewhere that means a form (…#composer) leads into its first text
  const form = document.getElementById(location.hash.slice(1));
  if (form?.matches("form")) $("textarea", form)?.focus();
  // back by the browser's cache: buttons are live again
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) for (const form of $$("form[data-sent]")) unlock(form);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.target;
    if (!form.matches?.("form") || event.detail.requestConfig.verb === "get") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    lock(form);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest?.("form");
    if (form?.dataset.sent) unlock(form);
  });
}
