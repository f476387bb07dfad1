// Helpers shared by all modules. No state of its own.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Delegated listener: works for everything that is swapped in later. */
export function on(type, selector, handler, options) {
  document.addEventListener(type, (event) => {
    const hit = event.target instanceof Element && event.target.closest(selector);
    if (hit) handler(event, hit);
  }, options);
}

/** Elements under root (and root itself) that this module has not seen yet. */
export function fresh(selector, root, mark) {
  const all = $$(selector, root);
  if (root instanceof Element && root.matches(selector)) all.unshift(root);
  return all.filter((element) => {
    const seen = element.dataset[mark];
    element.dataset[mark] = "1";
    return !seen;
  });
}

/** A translated text from templates/kit/parts/strings.html, with {name} filled in. */
export function text(name, values = {}) {
  const source = $("#strings")?.content.querySelector(`[data-s="${name}"]`);
  return (source?.textContent ?? "").replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

export function announce(message, urgent = false) {
  const region = $(urgent ? "#live-alert" : "#live-polite");
  if (!region) return;
  region.textContent = "";
  setTimeout(() => { region.textContent = message; }, 50);
}

/** Server HTML as elements. Rows and cells survive although they stand outside a table. */
export function fragment(html) {
  const safe = html.replace(/<tr\b[\s\S]*?<\/tr>|<t[dh]\b[\s\S]*?<\/t[dh]>/g, "<template>$&</template>");
  return new DOMParser().parseFromString(`<template>${safe}</template>`, "text/html").querySelector("template").content;
}

/** Every element with an id in a fragment, outermost first, also within nested templates. */
export function pieces(content) {
  return [...content.children].flatMap((child) => {
    if (child instanceof HTMLTemplateElement) return pieces(child.content);
    return child.id ? [child] : pieces(child);
  });
}

/** Events that the server asks for (HX-Trigger), for requests not made by htmx. */
function fireTriggers(response, element) {
  const header = response.headers.get("HX-Trigger");
  if (!header) return;
  let events = {};
  try {
    events = JSON.parse(header);
  } catch {
    for (const name of header.split(",")) events[name.trim()] = null;
  }
  for (const [name, value] of Object.entries(events)) {
    const detail = value !== null && typeof value === "object" ? value : { value };
    element.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

export const token = () => JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] || "";

/** Take over the token of a login that was made meanwhile, for what this page sends from now on. */
export function renew(value) {
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": value }));
  for (const field of $$("input[name=csrfmiddlewaretoken]")) field.value = value;
}

/** Fetch a part of the page; what the answer triggers happens. */
export async function request(url, options = {}) {
  const send = () => fetch(url, { ...options, headers: { "HX-Request": "true", "X-CSRFToken": token(), ...options.headers } });
  let answer = await send();
  const newer = answer.status === 403 && answer.headers.get("X-CSRFToken");
  if (newer) {
    renew(newer);
    if (options.body?.has?.("csrfmiddlewaretoken")) options.body.set("csrfmiddlewaretoken", newer);
    answer = await send();
  }
  fireTriggers(answer, document.body);
  return answer;
}

export const isField = (element) => element instanceof Element
  && element.matches("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable=true]");

export const visible = (element) => !!element && element.getClientRects().length > 0;

export function focusEnd(field) {
  field.focus();
  if (field.select && field.type !== "date") field.select();
}
