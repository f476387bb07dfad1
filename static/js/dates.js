// Dates (UX 6.5.5): typed freely (1123, 11-23, +7, t) in a text field, shown as ISO, with the browser's calendar
// behind a button; on a touch screen the field itself is the browser's. The server reads the same forms.
//
//   <span class="datebox"><input type="text" data-date …><button type="button" class="icb sm" data-calendar hidden></span>

import { $, fresh, on } from "./core.js";

const iso = (date) => [date.getFullYear(), String(date.getMonth() + 1).padStart(2, "0"), String(date.getDate()).padStart(2, "0")].join("-");

/** What a person typed as ISO; what is no date stays as it is, the server says why. */
export function read(typed, today = new Date()) {
  const plain = typed.normalize("NFKC").trim().replace(/[/.]/g, "-");
  const day = (year, month, date) => {
    const made = new Date(year, month - 1, date);
    return made.getMonth() === month - 1 ? iso(made) : typed;
  };
  if (/^t$/i.test(plain)) return iso(today);
  if (/^[+-]\d{1,4}$/.test(plain)) return iso(new Date(today.getFullYear(), today.getMonth(), today.getDate() + Number(plain)));
  const parts = /^(?:(\d{4})(?=-?\d{2}-?\d{2}$|-))?-?(\d{1,2})-?(\d{1,2})$/.exec(plain);
  return parts && (plain.includes("-") || plain.length % 4 === 0) ? day(Number(parts[1] || today.getFullYear()), Number(parts[2]), Number(parts[3])) : typed;
}

export function enhance(root) {
  for (const chip of fresh("[data-day]", root, "daySeen")) chip.hidden = false;
  for (const field of fresh("input[data-date]", root, "dateSeen")) {
    if (matchMedia("(pointer: coarse)").matches) {
      field.type = "date";
      continue;
    }
    const button = $("[data-calendar]", field.parentElement);
    if (button && !field.disabled) button.hidden = false;
  }
}

export function start() {
  on("change", "input[data-date]", (event, field) => {
    if (field.type === "text") field.value = read(field.value);
  }, true); // before those who send the value on
  // chips such as "Friday": the server says which day that is
  on("click", "[data-day]", (event, chip) => {
    const field = $("input[data-date]", chip.closest("form"));
    field.value = chip.dataset.day;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
  on("click", "[data-calendar]", (event, button) => {
    const field = $("input[data-date]", button.parentElement);
    let native = $("input[type=date]", button.parentElement);
    if (!native) {
      native = document.createElement("input");
      Object.assign(native, { type: "date", tabIndex: -1, className: "native" });
      native.setAttribute("aria-hidden", "true");
      native.addEventListener("change", (change) => {
        change.stopPropagation();
        field.value = native.value;
        field.focus();
        field.dispatchEvent(new Event("input", { bubbles: true }));
        field.dispatchEvent(new Event("change", { bubbles: true }));
      });
      button.before(native);
    }
    native.value = /^\d{4}-\d\d-\d\d$/.test(field.value) ? field.value : "";
    native.showPicker?.();
  });
}
