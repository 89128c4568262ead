"use strict";
(() => {
  const provenance = JSON.parse(document.getElementById("provenance").textContent);
  const tooltip = document.getElementById("tooltip");
  const dialog = document.getElementById("cell-details");
  const isVisible = (row) => !row.hidden;

  function selectAll(selector, root = document) {
    return [...root.querySelectorAll(selector)];
  }

  function createElement(tag, text, ...children) {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    element.append(...children);
    return element;
  }

  // --- Sorting. Rows without a value come last in both orders; a third click restores the order.

  const SORT_CYCLES = {
    number: ["descending", "ascending", "none"],
    text: ["ascending", "descending", "none"],
  };
  selectAll("tbody").forEach((body) => [...body.rows].forEach((row, index) => { row.originalIndex = index; }));

  function cellNumber(row, column) {
    const value = row.cells[column].dataset.value;
    return value === undefined ? null : Number(value);
  }

  function cellText(row, column) {
    return row.cells[column].textContent.trim() || null;
  }

  function rowComparator(column, kind, sign) {
    const key = kind === "number" ? cellNumber : cellText;
    return (first, second) => {
      const [a, b] = [key(first, column), key(second, column)];
      const byIndex = first.originalIndex - second.originalIndex;
      if (a === null || b === null) return (a === null) - (b === null) || byIndex;
      const difference = kind === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
      return sign * difference || byIndex;
    };
  }

  function sortBy(heading) {
    const table = heading.closest("table");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const column = heading.cellIndex;
    const kind = rows.some((row) => cellNumber(row, column) !== null) ? "number" : "text";
    const cycle = SORT_CYCLES[kind];
    const order = cycle[(cycle.indexOf(heading.getAttribute("aria-sort")) + 1) % cycle.length];
    selectAll("th[aria-sort]", table.tHead).forEach((th) => th.setAttribute("aria-sort", "none"));
    heading.setAttribute("aria-sort", order);
    if (order === "none") rows.sort((first, second) => first.originalIndex - second.originalIndex);
    else rows.sort(rowComparator(column, kind, order === "ascending" ? 1 : -1));
    body.append(...rows);
    resetTabStop(table);
  }

  // --- Filtering by the words of a row and by the datasets of its runs.

  const rowFilter = document.getElementById("row-filter");
  const datasetFilter = document.getElementById("dataset-filter");
  const sections = selectAll("section.table");

  function filterRows() {
    const words = rowFilter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const dataset = datasetFilter ? datasetFilter.value : "";
    const hasDataset = (element) => !dataset || element.dataset.datasets.split(" ").includes(dataset);
    let shownRows = 0;
    let allRows = 0;
    for (const section of sections) {
      const rows = [...section.querySelector("tbody").rows];
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const matchesDataset = !row.dataset.datasets || hasDataset(row); // rows without runs match
        row.hidden = !matchesDataset || !words.every((word) => text.includes(word));
      }
      section.hidden = !hasDataset(section) || !rows.some(isVisible);
      selectAll(`nav a[href="#${CSS.escape(section.id)}"]`).forEach((link) => {
        link.parentElement.hidden = section.hidden;
      });
      allRows += rows.length;
      shownRows += section.hidden ? 0 : rows.filter(isVisible).length;
      resetTabStop(section);
    }
    const isFiltered = words.length > 0 || dataset;
    document.getElementById("row-count").textContent = isFiltered ? `${shownRows} of ${allRows} rows` : "";
  }

  // --- Keyboard: a table is one stop of the Tab key; arrow keys move between cells with details.

  function resetTabStop(root) {
    const buttons = selectAll("tbody button.cell", root);
    buttons.forEach((button) => { button.tabIndex = -1; });
    const first = buttons.find((button) => isVisible(button.closest("tr")));
    if (first) first.tabIndex = 0;
  }

  const ARROW_STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  function moveFocus(button, [down, right]) {
    const cell = button.closest("td, th");
    const rows = [...cell.closest("tbody").rows].filter(isVisible);
    let row = rows.indexOf(cell.parentElement) + down;
    let column = cell.cellIndex + right;
    for (; rows[row] && rows[row].cells[column]; row += down, column += right) {
      const next = rows[row].cells[column].querySelector("button.cell");
      if (next) return next.focus();
    }
  }

  // --- Tooltip of a cell on hover and focus.

  function showTooltip(button) {
    hideTooltip(); // a hovered cell replaces the focused one
    const runs = (button.dataset.runs || "").split(" ").filter(Boolean).length;
    const runCount = runs ? `${runs} run${runs > 1 ? "s" : ""}` : "";
    tooltip.textContent = [button.dataset.detail, runCount].filter(Boolean).join("\n");
    tooltip.hidden = false;
    const box = button.getBoundingClientRect();
    const height = tooltip.offsetHeight;
    const top = box.top > height + 10 ? box.top - height - 6 : box.bottom + 6;
    const left = Math.min(box.left, document.documentElement.clientWidth - tooltip.offsetWidth - 8);
    tooltip.style.top = `${top}px`;
    tooltip.style.left = `${Math.max(8, left)}px`;
    button.setAttribute("aria-describedby", "tooltip");
  }

  function hideTooltip() {
    tooltip.hidden = true;
    selectAll("[aria-describedby='tooltip']").forEach((button) => button.removeAttribute("aria-describedby"));
  }

  function showTooltipOfFocus() { // only if the focus is visible, that is set by the keyboard
    hideTooltip();
    const button = document.activeElement.closest("button.cell:focus-visible");
    if (button) showTooltip(button);
  }

  // --- Dialog with the runs of a cell and the commands that reproduce them.

  function factList(pairs) {
    const list = createElement("dl");
    for (const [label, text] of pairs) {
      list.append(createElement("dt", provenance.texts[label]), createElement("dd", provenance.texts[text]));
    }
    return list;
  }

  function commandBlock(line) {
    const button = createElement("button", "Copy");
    button.type = "button";
    const code = createElement("pre", line);
    button.addEventListener("click", async () => {
      getSelection().selectAllChildren(code);
      try {
        await navigator.clipboard.writeText(line);
        button.textContent = "Copied";
      } catch { // pages opened from a file may not write to the clipboard
        button.textContent = "Selected";
      }
    });
    return createElement("div", "", code, button);
  }

  function* runElements(runs) {
    const isCommon = ([label, text]) => runs.every(([, , pairs]) =>
      pairs.some((pair) => pair[0] === label && pair[1] === text));
    const common = runs.length > 1 ? runs[0][2].filter(isCommon) : [];
    yield createElement("h3", runs.length > 1 ? `${runs.length} runs` : "1 run");
    for (const [key, headline, pairs] of runs) {
      const own = pairs.filter((pair) => runs.length < 2 || !isCommon(pair));
      const summary = createElement("summary", headline, createElement("small", key));
      const details = createElement("details", "", summary, factList(own));
      details.open = runs.length < 2;
      yield details;
    }
    if (common.length) yield* [createElement("h3", "Common to all runs"), factList(common)];
  }

  function* commandElements(numbers, cellName) {
    const [lines, remarks] = provenance.commands[numbers] || [[], []];
    yield createElement("h3", "Reproduce");
    yield* lines.map((line) => commandBlock(provenance.texts[line]));
    yield* remarks.map((remark) => createElement("p", provenance.texts[remark]));
    yield createElement("p", lines.length
      ? "Print these commands after a check that the data is available:"
      : "Print the commands:");
    yield commandBlock(`kdreid trace '${cellName.replaceAll("'", "'\\''")}'`);
  }

  function openDialog(button) {
    hideTooltip();
    const cell = button.closest("td, th");
    const table = cell.closest("table");
    const tableName = table.closest("section").id;
    const row = cell.parentElement.cells[0].textContent.trim();
    const column = table.tHead.rows[0].cells[cell.cellIndex].textContent.trim();
    const isLabel = cell.cellIndex === 0;
    const cellName = isLabel ? `${tableName}:${row}` : `${tableName}:${row}:${column}`;
    const title = createElement("h2", isLabel ? row : `${row}, ${column}: ${button.textContent}`);
    title.id = "cell-details-title";
    const close = createElement("button", "Close");
    close.type = "button";
    close.addEventListener("click", () => dialog.close());
    dialog.replaceChildren(createElement("header", "", title, close));
    if (button.dataset.detail) dialog.append(createElement("p", button.dataset.detail));
    const numbers = button.dataset.runs;
    if (numbers) {
      const runs = numbers.split(" ").map((number) => provenance.runs[number]);
      dialog.append(...runElements(runs), ...commandElements(numbers, cellName));
    } else {
      dialog.append(createElement("p", "This cell has no runs."));
    }
    dialog.showModal();
    dialog.scrollTop = 0;
  }

  // --- Theme: the system's, until the button is used.

  const themeButton = document.getElementById("theme");
  const systemTheme = matchMedia("(prefers-color-scheme: dark)");

  function storedTheme(theme) { // stores it if given
    try {
      if (theme) localStorage.setItem("theme", theme);
      return localStorage.getItem("theme");
    } catch { // browsers may forbid pages opened from a file to store anything
      return theme;
    }
  }

  function applyTheme(theme) {
    const root = document.documentElement;
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
    const isDark = (root.dataset.theme || (systemTheme.matches ? "dark" : "light")) === "dark";
    themeButton.setAttribute("aria-pressed", String(isDark));
    return isDark;
  }

  // --- Events.

  themeButton.addEventListener("click", () => {
    const theme = applyTheme() ? "light" : "dark";
    storedTheme(theme);
    applyTheme(theme);
  });
  systemTheme.addEventListener("change", () => applyTheme());
  rowFilter.addEventListener("input", filterRows);
  if (datasetFilter) datasetFilter.addEventListener("change", filterRows);
  document.addEventListener("click", (event) => {
    const heading = event.target.closest("th[aria-sort]");
    const button = event.target.closest("button.cell");
    if (heading) sortBy(heading);
    else if (button) openDialog(button);
    else if (event.target === dialog) dialog.close(); // a click on the backdrop
  });
  document.addEventListener("mouseover", (event) => {
    const button = event.target.closest("button.cell");
    if (button) showTooltip(button);
  });
  document.addEventListener("mouseout", (event) => {
    if (event.target.closest("button.cell")) showTooltipOfFocus();
  });
  document.addEventListener("focusout", hideTooltip);
  document.addEventListener("focusin", (event) => {
    const button = event.target.closest("button.cell");
    if (!button) return;
    selectAll("button.cell[tabindex='0']", button.closest("table")).forEach((other) => { other.tabIndex = -1; });
    button.tabIndex = 0;
    showTooltipOfFocus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hideTooltip();
    const button = event.target.closest("button.cell");
    if (!button || !ARROW_STEPS[event.key]) return;
    event.preventDefault();
    moveFocus(button, ARROW_STEPS[event.key]);
  });
  document.addEventListener("scroll", () => { // moving the focus may scroll the table
    const button = document.querySelector("button.cell[aria-describedby]");
    if (button) showTooltip(button);
  }, { capture: true, passive: true });
  sections.forEach(resetTabStop);
  filterRows(); // a reloaded page may keep the contents of its fields
  applyTheme(storedTheme());
})();
