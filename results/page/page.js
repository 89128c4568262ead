"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (selector, within = document) => [...within.querySelectorAll(selector)];
  const tip = document.getElementById("tip");
  const dialog = document.getElementById("behind");
  const visible = (row) => !row.hidden;

  function make(tag, content, ...children) {
    const made = document.createElement(tag);
    if (content) made.textContent = content;
    made.append(...children);
    return made;
  }

  // --- sorting: rows without a value come last either way; a third click restores the order

  const ORDERS = { value: ["descending", "ascending", "none"], text: ["ascending", "descending", "none"] };
  find("tbody").forEach((body) => [...body.rows].forEach((row, place) => { row.place = place; }));

  function value(row, column) {
    const held = row.cells[column].dataset.value;
    return held === undefined ? null : Number(held);
  }

  function compare(column, kind, sign) {
    return (one, other) => {
      const [a, b] = kind === "value"
        ? [value(one, column), value(other, column)]
        : [one, other].map((row) => row.cells[column].textContent.trim() || null);
      if (a === null || b === null) return (a === null) - (b === null) || one.place - other.place;
      const gap = kind === "value" ? a - b : a.localeCompare(b, "en", { numeric: true });
      return sign * gap || one.place - other.place;
    };
  }

  function sort(heading) {
    const table = heading.closest("table");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const column = heading.cellIndex;
    const kind = rows.some((row) => value(row, column) !== null) ? "value" : "text";
    const orders = ORDERS[kind];
    const now = orders[(orders.indexOf(heading.getAttribute("aria-sort")) + 1) % 3];
    find("th[aria-sort]", table.tHead).forEach((th) => th.setAttribute("aria-sort", "none"));
    heading.setAttribute("aria-sort", now);
    if (now === "none") rows.sort((one, other) => one.place - other.place);
    else rows.sort(compare(column, kind, now === "ascending" ? 1 : -1));
    body.append(...rows);
    enter(table);
  }

  // --- filtering: by words in a row, by dataset of its runs

  const words = document.getElementById("words");
  const dataset = document.getElementById("dataset");
  const sections = find("section.table");

  function filter() {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = dataset ? dataset.value : "";
    const fits = (element) => !chosen || element.dataset.datasets.split(" ").includes(chosen);
    let shown = 0;
    let all = 0;
    for (const section of sections) {
      const rows = [...section.querySelector("tbody").rows];
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const known = !row.dataset.datasets || fits(row);
        row.hidden = !known || !wanted.every((word) => text.includes(word));
      }
      section.hidden = !fits(section) || !rows.some(visible);
      find(`nav a[href="#${CSS.escape(section.id)}"]`).forEach((link) => {
        link.parentElement.hidden = section.hidden;
      });
      all += rows.length;
      shown += section.hidden ? 0 : rows.filter(visible).length;
      enter(section);
    }
    const filtered = wanted.length > 0 || chosen;
    document.getElementById("count").textContent = filtered ? `${shown} of ${all} rows` : "";
  }

  // --- one stop of the Tab key per table; arrow keys move between the cells that tell more

  function enter(within) {
    const buttons = find("tbody button.cell", within);
    const open = buttons.filter((button) => visible(button.closest("tr")));
    buttons.forEach((button) => { button.tabIndex = -1; });
    if (open.length) open[0].tabIndex = 0;
  }

  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  function move(button, [down, right]) {
    const cell = button.closest("td, th");
    const rows = [...cell.closest("tbody").rows].filter(visible);
    let row = rows.indexOf(cell.parentElement) + down;
    let column = cell.cellIndex + right;
    for (; rows[row] && rows[row].cells[column]; row += down, column += right) {
      const next = rows[row].cells[column].querySelector("button.cell");
      if (next) return next.focus();
    }
  }

  // --- what a cell tells on hover and focus

  function tell(button) {
    const detail = button.dataset.detail || "";
    const count = (button.dataset.runs || "").split(" ").filter(Boolean).length;
    const runs = count ? `${count} run${count > 1 ? "s" : ""} behind it` : "";
    tip.textContent = [detail, runs].filter(Boolean).join("\n");
    tip.hidden = false;
    const box = button.getBoundingClientRect();
    const height = tip.offsetHeight;
    const top = box.top > height + 10 ? box.top - height - 6 : box.bottom + 6;
    const left = Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.top = `${top}px`;
    tip.style.left = `${Math.max(8, left)}px`;
    button.setAttribute("aria-describedby", "tip");
  }

  function hush() {
    tip.hidden = true;
    find("[aria-describedby='tip']").forEach((one) => one.removeAttribute("aria-describedby"));
  }

  function rest() { // the keyboard's place, if it is shown, tells of itself
    hush();
    const button = document.activeElement.closest("button.cell:focus-visible");
    if (button) tell(button);
  }

  // --- what stands behind a cell

  function list(pairs) {
    const made = make("dl");
    for (const [label, text] of pairs) {
      made.append(make("dt", data.texts[label]), make("dd", data.texts[text]));
    }
    return made;
  }

  function command(line) {
    const copy = make("button", "Copy");
    copy.type = "button";
    const text = make("pre", line);
    copy.addEventListener("click", async () => {
      getSelection().selectAllChildren(text);
      try {
        await navigator.clipboard.writeText(line);
        copy.textContent = "Copied";
      } catch {
        copy.textContent = "Selected";
      }
    });
    return make("div", "", text, copy);
  }

  function* described(runs) {
    const same = ([label, text]) => runs.every((run) =>
      run[2].some((pair) => pair[0] === label && pair[1] === text));
    const common = runs.length > 1 ? runs[0][2].filter(same) : [];
    yield make("h3", runs.length > 1 ? `${runs.length} runs` : "1 run");
    for (const [key, headline, pairs] of runs) {
      const own = pairs.filter((pair) => runs.length < 2 || !same(pair));
      const made = make("details", "", make("summary", headline, make("small", key)), list(own));
      made.open = runs.length < 2;
      yield made;
    }
    if (common.length) yield* [make("h3", "The same in all of them"), list(common)];
  }

  function* again(numbers, name) {
    const [lines, remarks] = data.again[numbers] || [[], []];
    yield make("h3", lines.length ? "To make them again" : "To make them again, ask for the command");
    yield* lines.map((line) => command(data.texts[line]));
    yield* remarks.map((remark) => make("p", data.texts[remark]));
    if (lines.length) yield make("p", "The same from the command line, with the data looked at:");
    yield command(`kdreid trace '${name.replaceAll("'", "'\\''")}'`);
  }

  function open(button) {
    hush();
    const cell = button.closest("td, th");
    const table = cell.closest("table");
    const row = cell.parentElement.cells[0].textContent.trim();
    const column = table.tHead.rows[0].cells[cell.cellIndex].textContent.trim();
    const own = table.closest("section").id;
    const name = cell.cellIndex ? `${own}:${row}:${column}` : `${own}:${row}`;
    const title = make("h2", cell.cellIndex ? `${row}, ${column}: ${button.textContent}` : row);
    title.id = "behind-title";
    const close = make("button", "Close");
    close.type = "button";
    close.addEventListener("click", () => dialog.close());
    dialog.replaceChildren(make("header", "", title, close));
    if (button.dataset.detail) dialog.append(make("p", button.dataset.detail));
    const numbers = button.dataset.runs;
    if (numbers) {
      const runs = numbers.split(" ").map((number) => data.runs[number]);
      dialog.append(...described(runs), ...again(numbers, name));
    } else {
      dialog.append(make("p", "No run stands behind it."));
    }
    dialog.showModal();
    dialog.scrollTop = 0;
  }

  // --- dark and light: as the system has it, until the switch is used

  const theme = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");

  function remembered(write) {
    try { // a browser may forbid pages from the disk to store anything
      if (write) localStorage.setItem("theme", write);
      return localStorage.getItem("theme");
    } catch {
      return write;
    }
  }

  function paint(chosen) {
    if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
    const dark = (document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
    theme.setAttribute("aria-pressed", String(dark));
    return dark;
  }

  // --- events

  theme.addEventListener("click", () => {
    const next = paint() ? "light" : "dark";
    remembered(next);
    paint(next);
  });
  system.addEventListener("change", () => paint());
  words.addEventListener("input", filter);
  if (dataset) dataset.addEventListener("change", filter);
  document.addEventListener("click", (event) => {
    const heading = event.target.closest("th[aria-sort]");
    const button = event.target.closest("button.cell");
    if (heading) sort(heading);
    else if (button) open(button);
    else if (event.target === dialog) dialog.close(); // beside it
  });
  document.addEventListener("mouseover", (event) => {
    const button = event.target.closest("button.cell");
    if (button) tell(button);
  });
  document.addEventListener("mouseout", (event) => {
    if (event.target.closest("button.cell")) rest();
  });
  document.addEventListener("focusout", hush);
  document.addEventListener("focusin", (event) => {
    const button = event.target.closest("button.cell");
    if (!button) return;
    find("button.cell[tabindex='0']", button.closest("table")).forEach((one) => { one.tabIndex = -1; });
    button.tabIndex = 0;
    rest();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hush();
    const button = event.target.closest("button.cell");
    if (!button || !STEPS[event.key]) return;
    event.preventDefault();
    move(button, STEPS[event.key]);
  });
  document.addEventListener("scroll", () => { // so may a move by arrow keys
    const button = document.querySelector("button.cell[aria-describedby]");
    if (button) tell(button);
  }, { capture: true, passive: true });
  sections.forEach(enter);
  filter(); // a reloaded page may have kept the words
  paint(remembered());
})();
