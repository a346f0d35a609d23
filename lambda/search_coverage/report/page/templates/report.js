// What the page can do beyond being read: copy, and for the table search, filter, sort, and download what is shown.
"use strict";
// Before anything is drawn: where there is script, a long table starts with its first rows.
document.documentElement.classList.add("js");
document.addEventListener("DOMContentLoaded", () => {
  const ROWS_AT_ONCE = 200;
  const $ = (id) => document.getElementById(id);

  async function copy(text, button) {
    const label = button.textContent;
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "visually-hidden";
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.textContent = done ? "Copied" : "Not copied";
    setTimeout(() => { button.textContent = label; }, 1500);
  }

  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy($(button.dataset.copy).textContent, button));
  }
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });

  const table = $("table");
  if (!table) return;
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const columns = heads.map((head) => head.dataset.column);
  // People read and filter by words; files get codes, and a search finds either.
  const rows = Array.from(body.rows, (element) => {
    const cells = Array.from(element.cells, (cell) => cell.textContent.trim());
    const codes = cells.map((text, at) => element.cells[at].dataset.code ?? text);
    return { element, cells, codes, text: [...cells, ...codes].join("\n").toLowerCase() };
  });

  // Copy an ARN. One stop for the Tab key; the arrows go from row to row.
  const arn = columns.indexOf(table.dataset.copied);
  const arns = table.dataset.arns.split(" ").map((column) => columns.indexOf(column));
  const copier = document.createElement("button");
  copier.type = "button";
  copier.textContent = "Copy";
  copier.tabIndex = -1;
  copier.setAttribute("aria-label", `Copy the ARN of this ${table.dataset.noun}`);
  function addCopier(row) {
    if (row.copier || !row.cells[arn]) return;
    row.copier = copier.cloneNode(true);
    row.copier.row = row;
    row.element.cells[arn].append(row.copier);
    for (const at of arns) row.element.cells[at].title = row.cells[at];
  }
  let stop = null;
  function stopAt(row) {
    if (stop) stop.copier.tabIndex = -1;
    stop = row || null;
    if (stop) stop.copier.tabIndex = 0;
  }
  const copiers = () => matches.slice(0, room).filter((row) => row.copier);
  body.addEventListener("click", (event) => {
    const row = event.target.row;
    if (!row) return;
    stopAt(row);
    copy(row.cells[arn], row.copier);
  });
  body.addEventListener("keydown", (event) => {
    if (!event.target.row) return;
    const all = copiers();
    const at = all.indexOf(event.target.row);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all[to]) return;
    event.preventDefault();
    stopAt(all[to]);
    all[to].copier.focus();
  });

  // Search and filter.
  const number = (count) => count.toLocaleString("en");
  const form = $("controls");
  const filters = Array.from(form.querySelectorAll("select"), (select) => {
    const column = columns.indexOf(select.dataset.column);
    const counts = new Map();
    for (const row of rows) counts.set(row.cells[column], (counts.get(row.cells[column]) || 0) + 1);
    select.append(new Option("All", "*"));
    for (const value of [...counts.keys()].sort()) {
      select.append(new Option(`${value || "not given"} (${number(counts.get(value))})`, `=${value}`));
    }
    return { select, column };
  });
  let matches = rows;
  let room = ROWS_AT_ONCE;
  function show() {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    matches = rows.filter((row) =>
      words.every((word) => row.text.includes(word)) &&
      filters.every(({ select, column }) => select.value === "*" || select.value === `=${row.cells[column]}`));
    for (const row of rows) row.at = -1;
    matches.forEach((row, at) => { row.at = at; });
    for (const row of rows) {
      row.element.hidden = row.at < 0;
      row.element.classList.toggle("later", row.at >= room);
      if (row.at >= 0 && row.at < room) addCopier(row);
    }
    body.classList.add("ready");
    const left = matches.length - room;
    $("shown").textContent = `${number(matches.length)} of ${number(rows.length)} ${table.dataset.noun}s` +
      (left > 0 ? `, the first ${number(room)} shown` : "");
    $("nothing").hidden = matches.length > 0;
    $("more").hidden = left <= 0;
    $("show-more").textContent = `Show ${number(Math.min(left, ROWS_AT_ONCE))} more`;
    $("show-all").textContent = `Show all ${number(matches.length)}`;
    $("download").disabled = matches.length === 0;
    if (!stop || stop.at < 0 || stop.at >= room) stopAt(copiers()[0]);
  }
  function showFrom(count) {
    const first = matches[room];
    room = count;
    show();
    if (first && first.copier) {
      stopAt(first);
      first.copier.focus();
    }
  }
  $("show-more").addEventListener("click", () => showFrom(room + ROWS_AT_ONCE));
  $("show-all").addEventListener("click", () => showFrom(rows.length));
  let waiting = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 80);
  });
  form.addEventListener("change", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  $("clear").addEventListener("click", () => {
    form.reset();
    $("search").focus();
  });

  // Sort. Rows that are equal keep their order; what AWS did not send comes last.
  const collator = new Intl.Collator("en", { numeric: true });
  heads.forEach((head, column) => {
    const by = columns[column].endsWith("_created") ? "codes" : "cells";
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.sort((one, other) => {
        const [a, b] = [one[by][column], other[by][column]];
        if (!a || !b) return (a ? 0 : 1) - (b ? 0 : 1);
        return (down ? -1 : 1) * collator.compare(a, b);
      });
      body.append(...rows.map((row) => row.element));
      show();
    });
  });

  // Download what matches. A cell that a spreadsheet would run as a formula is defused, as in the report's own CSV
  // (csv_table.py says why), and with the same two patterns.
  const CONTROL_START = /^[\x00-\x1f\x7f-\x9f]/;
  const CELL_START = /(?:^|[\t-\r\x1c-\x1f;|\x85\u2028\u2029])[\x00-\x20"\x7f-\xa0\xad\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff;|]*([=+\-@\uff1d\uff0b\uff0d\uff20])?/g;
  function cell(text) {
    const safe = text
      .replace(CELL_START, (start, formula) => formula ? `${start.slice(0, -1)}'${formula}` : start)
      .replace(CONTROL_START, "'$&");
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }
  $("download").addEventListener("click", () => {
    const lines = [columns, ...matches.map((row) => row.codes)].map((cells) => `${cells.map(cell).join(",")}\r\n`);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(lines, { type: "text/csv;charset=utf-8" }));
    link.download = table.dataset.download;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });

  form.hidden = false;
  show();
});
