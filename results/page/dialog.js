// One part of the page's script; build.py joins the parts into one function.

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
  const code = createElement("pre", line);
  return createElement("div", "", code, createButton("Copy", async (button) => {
    const isCopied = await copyText(line);
    getSelection().selectAllChildren(code);
    button.textContent = isCopied ? "Copied" : "Selected";
  }));
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

// The name of a cell as `kdreid trace` takes it; of its row if only the page has its column. Null if
// another row or column has the same name.
function traceName(cell) {
  const table = cell.closest("table");
  const headings = [...table.tHead.rows[0].cells];
  const sameName = (cells, text) => cells.filter((one) => plainText(one).toLowerCase() === text.toLowerCase());
  const row = plainText(cell.parentElement.cells[0]);
  if (sameName([...table.tBodies[0].rows].map((one) => one.cells[0]), row).length > 1) return null;
  const name = `${table.closest("section").id}:${row}`;
  const heading = headings[cell.cellIndex];
  if (cell.cellIndex === 0 || "extra" in heading.dataset) return name;
  const column = plainText(heading);
  return sameName(headings, column).length > 1 ? null : `${name}:${column}`;
}

function* commandElements(numbers, cell) {
  const [lines, remarks] = provenance.commands[numbers] || [[], []];
  yield createElement("h3", "Reproduce");
  yield* lines.map((line) => commandBlock(provenance.texts[line]));
  yield* remarks.map((remark) => createElement("p", provenance.texts[remark]));
  const name = traceName(cell);
  if (name === null) return;
  yield createElement("p", lines.length
    ? "Print these commands after a check that the data is available:"
    : "Print the commands:");
  const words = ["kdreid trace", `'${name.replaceAll("'", "'\\''")}'`, dialog.dataset.runsOption];
  yield commandBlock(words.filter(Boolean).join(" "));
}

function showInDialog(title, ...children) {
  hideTooltip();
  const heading = createElement("h2", title);
  heading.id = "cell-details-title";
  const close = createButton("Close", () => dialog.close());
  dialog.replaceChildren(createElement("header", "", heading, close), ...children);
  dialog.showModal();
  dialog.scrollTop = 0;
}

function openDialog(button) {
  const cell = button.closest("td, th");
  const table = cell.closest("table");
  const row = plainText(cell.parentElement.cells[0]);
  const column = plainText(table.tHead.rows[0].cells[cell.cellIndex]);
  const children = [];
  if (button.dataset.detail) children.push(createElement("p", button.dataset.detail));
  const numbers = button.dataset.runs;
  if (numbers) {
    const runs = numbers.split(" ").map((number) => provenance.runs[number]);
    children.push(...runElements(runs), ...commandElements(numbers, cell));
  } else {
    children.push(createElement("p", "This cell has no runs."));
  }
  const link = createElement("a", "Link to this row");
  link.href = `#${encodeURIComponent(cell.parentElement.id)}`;
  link.addEventListener("click", () => dialog.close());
  children.push(createElement("p", "", link));
  showInDialog(cell.cellIndex === 0 ? row : `${row}, ${column}: ${button.textContent}`, ...children);
}
