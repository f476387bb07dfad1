// A drawing instead of a chosen file, loaded by the page "My signature" only.
//
//   <form><div data-sign hidden><canvas></canvas> <button data-clear></button></div> <input type="file"></form>

import { $ } from "./core.js";

const box = $("[data-sign]");
const canvas = $("canvas", box);
const input = $("input[type=file]", box.closest("form"));
const pen = canvas.getContext("2d");
let last = null; // where the pen is, while it is down

function at(event) {
  const { left, top, width } = canvas.getBoundingClientRect();
  const scale = canvas.width / width;
  return [(event.clientX - left) * scale, (event.clientY - top) * scale];
}

function draw(event) {
  const here = at(event);
  pen.beginPath();
  pen.moveTo(...last);
  pen.lineTo(...here);
  pen.stroke();
  last = here;
}

function put(file) {
  const files = new DataTransfer();
  if (file) files.items.add(file);
  input.files = files.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

// At once and not in a callback, so that a quick "Save" sends the whole drawing.
function drawing() {
  const bytes = atob(canvas.toDataURL("image/png").split(",")[1]);
  return new File([Uint8Array.from(bytes, (c) => c.charCodeAt(0))], "signature.png", { type: "image/png" });
}

function wipe() {
  pen.clearRect(0, 0, canvas.width, canvas.height);
}

pen.lineWidth = 9;
pen.lineCap = pen.lineJoin = "round";
pen.strokeStyle = "#14181f";

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  last = at(event);
  draw(event);
});
canvas.addEventListener("pointermove", (event) => {
  if (!last) return;
  for (const part of event.getCoalescedEvents?.() ?? []) draw(part);
  draw(event);
});
for (const type of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(type, () => {
    if (last) put(drawing());
    last = null;
  });
}
$("[data-clear]", box).addEventListener("click", () => { wipe(); put(null); });
input.addEventListener("change", (event) => { if (event.isTrusted) wipe(); }); // a chosen file takes its place
box.hidden = false;
