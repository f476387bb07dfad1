// Scan mode (UX 6.6.6): a scanner types a code and Enter. The server says in which row it counts, or that nobody knows
// the code; codes are asked for one after the other. In a product cell outside of this mode Enter takes an exact code.

import { composing } from "./ime.js";
import { $, $$, fragment, on, request, text } from "./core.js";
import { close } from "./combo.js";
import { schedule } from "./gridcompute.js";
import { reveal } from "./gridpages.js";
import { fill } from "./gridpaste.js";
import { column, comboOf, rowOf, write } from "./gridrows.js";
import { refused, show } from "./toast.js";

let queue = Promise.resolve();
let audio = null;
let opener = null;

const bar = () => $("[data-scan-url]");
const scanning = () => bar() && !bar().hidden;

/** High and short for yes, low and long for no. */
function beep(yes) {
  if (!window.AudioContext) return;
  audio ||= new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.type = yes ? "sine" : "square";
  tone.frequency.value = yes ? 1320 : 196;
  volume.gain.value = 0.08;
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + (yes ? 0.08 : 0.35));
}

function say(words, yes) {
  const place = $("[data-scan-said]", bar());
  place.textContent = words;
  place.classList.toggle("neg", !yes);
  beep(yes);
}

function flash(row) {
  row.classList.remove("flash");
  void row.offsetWidth;
  row.classList.add("flash");
  row.scrollIntoView({ block: "nearest" });
  bar().scrollIntoView({ block: "nearest" }); // where not both fit, what was said stays in sight
}

async function ask(code) {
  const form = bar().closest("form");
  const again = () => scan(code);
  const body = new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string"));
  body.set("code", code);
  if (bar().dataset.counting) body.set("counting", "1");
  const answer = await request(bar().dataset.scanUrl, { method: "POST", body, headers: { "HX-Target": "scan" } }).catch(() => null);
  if (!answer) {
    $("input", bar()).value ||= code;
    return say(text("offline"), false);
  }
  if (answer.status === 401) return document.dispatchEvent(new CustomEvent("login-required", { detail: { retry: again } }));
  if (!answer.ok) return refused(answer.status, answer.headers.get("X-Request-ID"), again);
  const found = $("[data-scanned]", fragment(await answer.text()));
  const yes = found.dataset.scanned === "yes";
  if (yes) {
    const { touched, undo } = fill($("[data-grid]", form), $$("[data-cells]", found).map((one) => [one.dataset.to, JSON.parse(one.dataset.cells)]), true);
    for (const index of touched) schedule(form, index);
    flash($(`tr[data-row="${touched.at(-1)}"]`, form) || reveal($("[data-grid]", form), touched.at(-1)));
    bar().dataset.counting = "1";
    if (found.dataset.started) show({ text: found.dataset.started, undo: () => { undo(); schedule(form, "all"); } });
  }
  return say(found.dataset.words, yes);
}

function scan(code) {
  const next = () => bar() && ask(code);
  queue = queue.then(next, next); // what went wrong with one code does not stop those behind it
}

function toggle(yes) {
  const button = $("[data-scan]");
  if (yes) opener = document.activeElement;
  bar().hidden = !yes;
  button.setAttribute("aria-pressed", String(yes));
  (yes ? $("input", bar()) : opener?.isConnected && opener !== document.body ? opener : button).focus();
}

const plainEnter = (event) => event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;

export function start() {
  on("click", "[data-scan]", () => toggle(!scanning()));
  on("click", "[data-scan-end]", () => toggle(false));
  on("keydown", "[data-scan-url] input", (event, input) => {
    if (composing(event)) return;
    if (event.key === "Escape") toggle(false);
    else if (plainEnter(event)) {
      const code = input.value.trim();
      input.value = "";
      if (code) scan(code);
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  // a code that was scanned into the product cell of an unfinished row counts as well
  on("keydown", "[data-grid] [data-combo] > input[type=text]", (event, input) => {
    const code = input.value.trim();
    if (composing(event) || !scanning() || !plainEnter(event) || !code || column(input) !== bar().dataset.scanCol) return;
    if (!rowOf(input) || $("input[type=hidden]", comboOf(input)).value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    write(input, { text: "" });
    close(comboOf(input));
    scan(code);
  });
}
