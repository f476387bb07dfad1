// Paste a block from a spreadsheet into the line grid (UX 6.6.5). Figures go to the server as they were copied.

import { announce, text } from "./core.js";
import { settle } from "./combo.js";
import { add, cellOf, comboOf, column, fieldAt, fields, read, rowOf, rows, write } from "./gridrows.js";
import { show } from "./toast.js";

/** Tab separated text as Excel and WPS put it on the clipboard, with "quoted ""cells""" and line breaks in them. */
export function parse(block) {
  const table = [[]];
  const pattern = /(?:"((?:[^"]|"")*)"|([^\t\r\n]*))(\t|\r\n|\n|\r|$)/gy;
  for (let hit = pattern.exec(block); hit; hit = pattern.exec(block)) {
    table.at(-1).push((hit[1] !== undefined ? hit[1].replaceAll('""', '"').replace(/\s*\n\s*/g, " ") : hit[2]).trim());
    if (pattern.lastIndex >= block.length) break;
    if (hit[3] !== "\t") table.push([]);
    if (hit[0] === "") break;
  }
  return table.filter((line) => line.some(Boolean));
}

const plain = (title) => title.toLowerCase().replace(/[\s.*:：（）()%]/g, "");

function titles(table) {
  const heads = [...(table.tHead?.rows[0]?.cells || [])];
  const first = rows(table)[0];
  return new Map(heads.flatMap((head, index) => {
    const col = first?.cells[index]?.dataset.col;
    return col ? [[plain(head.textContent), col], [plain(col), col], ...(head.dataset.also || "").split(",").filter(Boolean).map((name) => [plain(name), col])] : [];
  }));
}

export function paste(event, field, table, schedule) {
  const block = event.clipboardData?.getData("text/plain") ?? "";
  if (!/[\t\n]/.test(block.trimEnd())) return;
  event.preventDefault();
  let lines = parse(block);
  const start = rowOf(field);
  const known = titles(table);
  const named = lines[0].map((title) => known.get(plain(title)));
  const isHead = lines[0].filter(Boolean).length > 1 && named.filter(Boolean).length >= Math.ceil(lines[0].filter(Boolean).length / 2);
  let cols;
  if (isHead) {
    cols = named;
    lines = lines.slice(1);
  } else {
    const order = fields(start).map(column);
    cols = order.slice(order.indexOf(column(field)));
  }
  const before = [];
  const added = [];
  let row = start;
  const touched = [];
  for (const [position, line] of lines.entries()) {
    if (position) {
      const all = rows(table);
      const next = all[all.indexOf(row) + 1];
      row = next || (table.hasAttribute("data-fixed") ? null : add(table, row));
      if (!row) break;
      if (!next) added.push(row);
    }
    line.forEach((value, at) => {
      const target = cols[at] && fieldAt(row, cols[at]);
      if (!target || (value === "" && isHead)) return;
      before.push([target, read(target)]);
      write(target, { text: value });
    });
    touched.push(row.dataset.row);
  }
  if (comboOf(field)) settle(comboOf(field)); // the server's answer does not touch the cell in hand
  for (const index of touched) schedule(index);
  table.dispatchEvent(new Event("input", { bubbles: true }));
  announce(text("rows-pasted", { n: lines.length }));
  show({
    level: "success",
    text: text("rows-pasted", { n: lines.length }),
    undo: () => {
      for (const [target, value] of before) write(target, value);
      for (const extra of added) extra.remove();
      schedule("all");
      cellOf(field)?.querySelector("input")?.focus();
    },
  });
}
