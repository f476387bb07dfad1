// Files by drag and by paste, on top of an ordinary file field.
//
//   <div class="drop" data-drop><input type="file" name="files" multiple [data-resize]> <ul data-files></ul></div>

import { $, $$, on } from "./core.js";

const LONGEST = 2000; // px; photos of a phone need not be larger

async function smaller(file) {
  if (!/^image\/(jpeg|webp)$/.test(file.type) || !window.createImageBitmap) return file;
  try {
    const image = await createImageBitmap(file);
    const scale = LONGEST / Math.max(image.width, image.height);
    if (scale >= 1) return file;
    const canvas = new OffscreenCanvas(Math.round(image.width * scale), Math.round(image.height * scale));
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: file.type, quality: 0.85 });
    return new File([blob], file.name, { type: file.type, lastModified: file.lastModified });
  } catch {
    return file; // not an image after all: the server decides
  }
}

async function put(input, files) {
  const list = input.multiple ? [...input.files, ...files] : [...files].slice(0, 1);
  const box = new DataTransfer();
  for (const file of list) box.items.add(input.matches("[data-resize]") ? await smaller(file) : file);
  input.files = box.files;
  input.dataset.own = "1";
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

function listNames(input) {
  const place = $("[data-files]", input.closest("[data-drop], form"));
  place?.replaceChildren(...[...input.files].map((file) => {
    const item = document.createElement("li");
    item.className = "att";
    item.textContent = `${file.name} · ${file.size < 1048576 ? `${Math.max(1, Math.round(file.size / 1024))} kB` : `${(file.size / 1048576).toFixed(1)} MB`}`;
    return item;
  }));
}

export function start() {
  for (const type of ["dragenter", "dragover"]) {
    on(type, "[data-drop]", (event, zone) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  on("dragleave", "[data-drop]", (event, zone) => {
    if (!zone.contains(event.relatedTarget)) zone.classList.remove("over");
  });
  on("drop", "[data-drop]", (event, zone) => {
    event.preventDefault();
    zone.classList.remove("over");
    const input = $("input[type=file]", zone);
    if (input && event.dataTransfer?.files.length) put(input, event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    if (!files?.length) return;
    const scope = event.target.closest?.("form") || document;
    const input = $("input[type=file][data-paste], [data-drop] input[type=file]", scope) || (scope !== document && $$("input[type=file]", scope)[0]);
    if (!input) return;
    event.preventDefault();
    put(input, files);
  });
  on("change", "input[type=file]", (event, input) => {
    const own = input.dataset.own;
    delete input.dataset.own;
    if (!own && input.matches("[data-resize]") && input.files.length) {
      const chosen = [...input.files];
      input.value = "";
      put(input, chosen);
    } else listNames(input);
  });
}
