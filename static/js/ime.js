// Input method guard (UX 7.3). While a Chinese, Japanese or Korean input method composes,
// no handler of ours or of htmx may see Enter, Tab, arrows, Esc or letters: the keys belong to
// the candidate list. This module must be imported first, so that its listeners run first.

const AFTER = 30; // ms: some input methods send Enter right after compositionend
let active = false;
let held = false;
let natural = false;

export const composing = (event) => active || held || event.isComposing || event.keyCode === 229;

const stop = (event) => event.stopImmediatePropagation();

window.addEventListener("compositionstart", () => { active = true; }, true);

window.addEventListener("compositionend", (event) => {
  active = false;
  held = true;
  natural = false;
  const field = event.target;
  setTimeout(() => {
    // Firefox and Safari send a last input event themselves, Chromium does not
    if (!natural) field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertFromComposition" }));
  }, 0);
  setTimeout(() => { held = false; }, AFTER);
}, true);

for (const type of ["keydown", "keypress", "keyup"]) {
  window.addEventListener(type, (event) => {
    if (!composing(event)) return;
    stop(event);
    if (held && !active && event.key === "Enter" && event.keyCode !== 229) event.preventDefault();
  }, true);
}

window.addEventListener("input", (event) => {
  if (active || event.isComposing) stop(event);
  else natural = true;
}, true);
