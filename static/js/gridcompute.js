// The server computes, the page shows (UX 6.6.4): after a change the whole form goes to data-compute-url with
// changed=<rows> and seq=<n>, and after a change in the head with head=<names> and typed=<names>, since the server
// fills what follows and leaves what a person typed. The answer is HTML: elements with ids that replace those on the
// page, and <template data-rows="lines"> when the head decides which rows there are.

import { $, $$, announce, fragment, pieces, request, text } from "./core.js";
import { settled } from "./combo.js";
import { labelled } from "./gridrows.js";
import { offline } from "./shell.js";
import { refused } from "./toast.js";

const PENDING_AFTER = 250;
const states = new WeakMap();
const state = (form) => {
  if (!states.has(form)) states.set(form, { seq: 0, waiting: new Map(), heads: new Map(), count: 0, timer: 0, dim: 0, abort: null, rest: 0 });
  return states.get(form);
};

/** Ask for new figures; several changes in the same moment become one question. */
export function schedule(form, row, head) {
  if (!form?.dataset.computeUrl) return;
  const mine = state(form);
  mine.count += 1; // a row that changes while its answer is on the way is asked for once more
  mine.waiting.set(String(row), mine.count);
  if (head) mine.heads.set(head, mine.count);
  clearTimeout(mine.timer);
  mine.timer = setTimeout(() => {
    mine.timer = 0;
    send(form);
  }, 15);
}

const gridRow = (form, index) => $(`[data-grid] tr[data-row="${CSS.escape(index)}"]`, form);

function outputs(form, waiting) {
  const all = waiting.has("all");
  const cells = all ? $$("[data-grid] td.ro", form) : [...waiting].flatMap((index) => $$("td.ro", gridRow(form, index) || document.createElement("tr")));
  return [...cells, ...$$("[data-totals]")];
}

function payload(form, mine) {
  const data = new FormData(form);
  const values = new URLSearchParams();
  // nothing is stored: what a save needs stays here, it only costs
  for (const [name, value] of data) if (typeof value === "string" && name !== "submit_id" && name !== "opened") values.append(name, value);
  values.set("changed", mine.waiting.has("all") ? "all" : [...mine.waiting.keys()].join(","));
  values.set("seq", String(mine.seq));
  if (mine.heads.size) {
    values.set("head", [...mine.heads.keys()].join(","));
    values.set("typed", [...form.elements].filter((field) => field.dataset.typed).map((field) => field.name).join(","));
  }
  return values;
}

async function send(form) {
  const mine = state(form);
  await Promise.all($$("[data-combo]", form).map((combo) => settled(combo)));
  if (mine.timer || !mine.waiting.size) return; // a later question takes these rows along
  mine.abort?.abort(); // an unanswered question is asked again together with this one
  mine.abort = new AbortController();
  mine.seq += 1;
  const { seq } = mine;
  const asked = new Set(mine.waiting.keys());
  const upTo = mine.count;
  const sent = new Map([...form.elements].map((field) => [field, field.value]));
  clearTimeout(mine.dim);
  mine.dim = setTimeout(() => { for (const element of outputs(form, asked)) element.classList.add("pending"); }, PENDING_AFTER);
  form.setAttribute("aria-busy", "true");
  let answer;
  let html;
  try {
    answer = await request(form.dataset.computeUrl, { method: "POST", body: payload(form, mine), signal: mine.abort.signal, headers: { "HX-Target": "compute" } });
    html = await answer.text();
  } catch (error) {
    if (error.name !== "AbortError") offline(true, () => send(form));
    return;
  }
  const echoed = answer.headers.get("X-Seq");
  if (seq !== mine.seq || (echoed && Number(echoed) !== seq)) return;
  offline(false);
  clearTimeout(mine.dim);
  form.removeAttribute("aria-busy");
  if (answer.status === 401) {
    document.dispatchEvent(new CustomEvent("login-required", { detail: { retry: () => send(form) } }));
    return;
  }
  if (!answer.ok && answer.status !== 422) {
    refused(answer.status, answer.headers.get("X-Request-ID"), () => send(form));
    return;
  }
  for (const open of [mine.waiting, mine.heads]) for (const [name, count] of open) if (count <= upTo) open.delete(name);
  for (const element of $$(".pending", form.ownerDocument)) element.classList.remove("pending");
  apply(form, fragment(html), sent, asked);
  clearTimeout(mine.rest);
  mine.rest = setTimeout(() => speak(form), 1000);
}

function speak(form) {
  const total = $("[data-announce-total]");
  if (total && form.isConnected) announce(text("total-now", { n: $$("[data-grid] tr[data-row], [data-folded] > input", form).length, total: total.textContent.trim() }));
}

/** Ask once more what is not answered yet: the rows have moved to other pages. */
export function again(form) {
  const mine = states.get(form);
  const [row] = mine?.waiting.keys() || [];
  if (row === undefined) return;
  mine.seq += 1; // what comes now is too old
  schedule(form, row);
}

const COPIED = ["data-shown", "aria-invalid", "aria-describedby", "title", "placeholder", "class"];

function setField(live, piece, sent) {
  for (const name of COPIED) {
    if (piece.hasAttribute(name)) live.setAttribute(name, piece.getAttribute(name));
    else if (name.startsWith("aria-")) live.removeAttribute(name);
  }
  const touched = live === document.activeElement || (sent.has(live) && sent.get(live) !== live.value);
  const combo = live.closest("[data-combo]");
  if (touched || (combo && combo.contains(document.activeElement))) return;
  if (combo) {
    const twin = live.type !== "hidden" && piece.parentElement?.matches("[data-combo]") && $("input[type=hidden]", piece.parentElement);
    if (twin) $("input[type=hidden]", combo).value = twin.getAttribute("value") ?? "";
  }
  if (live.matches("select") && piece.matches("select") && piece.textContent !== live.textContent) live.replaceChildren(...document.importNode(piece, true).childNodes);
  const value = piece.matches("select") ? piece.value : piece.matches("textarea") ? piece.value : piece.getAttribute("value") ?? "";
  if (live.value === value) return;
  live.value = value;
  if (combo) combo.classList.toggle("picked", !!$("input[type=hidden]", combo).value);
  const cell = live.closest("td, .fld");
  if (cell && live.type !== "hidden") {
    if (cell.matches(".flash")) {
      cell.classList.remove("flash");
      void cell.offsetWidth; // only where it must begin anew: the page would be laid out for each of hundreds of cells
    }
    cell.classList.add("flash");
  }
}

/** The row that an error row belongs to: lines-3-err stands under row 3 of the grid "lines". */
function owner(form, id) {
  const [, prefix, index] = id.match(/^(.+)-(\d+)-err$/) || [];
  return prefix && $(`[data-grid][data-prefix="${CSS.escape(prefix)}"] tr[data-row="${index}"]`, form);
}

/** All rows of a grid, when the head decides which there are (the open items of a customer). */
function swapRows(form, source) {
  const table = $(`[data-grid][data-prefix="${CSS.escape(source.dataset.rows)}"]`, form);
  const fresh = $$("template", source.content).flatMap((one) => [...one.content.children]).map((row) => document.importNode(row, true));
  source.remove();
  if (!table) return;
  table.tBodies[0].replaceChildren(...fresh);
  for (const box of $$("[data-folded]", form)) box.replaceChildren();
  for (const row of fresh) {
    window.htmx?.process(row);
    row.dispatchEvent(new CustomEvent("fresh", { bubbles: true }));
  }
  table.dispatchEvent(new CustomEvent("grid-rows", { bubbles: true }));
}

export function apply(form, content, sent = new Map(), asked = new Set()) {
  for (const source of $$("template[data-rows]", content)) swapRows(form, source);
  const parts = pieces(content);
  const ids = new Set(parts.map((part) => part.id));
  for (const error of $$("[data-grid] tr.rowerr", form)) {
    const [, index] = error.id.match(/-(\d+)-err$/) || [];
    if (!ids.has(error.id) && (asked.has("all") || asked.has(index))) {
      error.remove();
      for (const field of $$("[aria-invalid]", gridRow(form, index) || document.createElement("tr"))) field.removeAttribute("aria-invalid");
    }
  }
  for (const part of parts) {
    const warned = part.dataset.hints && gridRow(form, part.id.split("-").at(-2));
    if (warned) labelled(warned, JSON.parse(part.dataset.hints));
    const live = document.getElementById(part.id);
    const row = part.matches("tr.rowerr") && owner(form, part.id);
    if (row) {
      live?.remove();
      if (part.textContent.trim()) row.after(document.importNode(part, true));
    } else if (live?.matches("input, select, textarea")) {
      if (part.matches("input, select, textarea")) setField(live, part, sent);
    } else if (live && !live.contains(document.activeElement)) {
      const copy = document.importNode(part, true);
      live.replaceWith(copy);
      window.htmx?.process(copy);
      copy.dispatchEvent(new CustomEvent("fresh", { bubbles: true }));
    }
  }
  window.dispatchEvent(new Event("resize")); // notices may have moved the lines: an open list follows
}
