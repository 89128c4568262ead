// One part of the page's script; build.py joins the parts into one function.

// --- Columns that are shown.

function showColumn(section, column, isShown) {
  for (const row of section.querySelector("table").rows) row.cells[column].hidden = !isShown;
  selectAll(`[data-column="${column}"]`, section).forEach((box) => { box.checked = isShown; });
}

function chooseColumns(section, isChosen) {
  selectAll("[data-column]", section).forEach((box) => showColumn(section, box.dataset.column, isChosen(box)));
  resetTabStop(section);
}

function closeMenus(except) {
  selectAll(".column-menu[open]").forEach((menu) => { menu.open = menu === except; });
}

// --- Copies of what is seen: the rows and columns that are shown, in their order.

const LATEX_SIGNS = { "[": "{[}", "]": "{]}", "*": "{*}", "±": "$\\pm$" }; // the rest comes from data-latex

function latexText(cell) {
  const text = cell.dataset.latex || plainText(cell).replace(/[[\]*±]/g, (sign) => LATEX_SIGNS[sign]);
  return text.replace(/(^|[\s(]|\{\[\})-(?=\d)/g, "$1$-$$"); // minus signs instead of hyphens
}

function latexCell(cell) {
  let text = latexText(cell);
  if (cell.querySelector("strong")) text = `\\textbf{${text}}`;
  if (cell.querySelector("u")) text = `\\underline{${text}}`;
  return cell.querySelector(".tied") ? `${text}$^\\dagger$` : text;
}

function shownRows(section) {
  const rows = [...section.querySelector("table").rows].filter(isVisible);
  return rows.map((row) => [...row.cells].filter(isVisible));
}

function asLatex(section) {
  const [head, ...body] = shownRows(section);
  const sides = head.map((cell) => (cell.classList.contains("left") ? "l" : "r")).join("");
  const lines = (rows) => rows.map((row) => `${row.map(latexCell).join(" & ")} \\\\`);
  const title = [section.querySelector("h2"), section.querySelector(".constants")]
    .filter(Boolean).map((one) => one.textContent.replace(/\s+/g, " ")).join("; ");
  return [
    `% ${title}. Needs \\usepackage{booktabs}.`, `\\begin{tabular}{${sides}}`, "\\toprule", ...lines([head]),
    "\\midrule", ...lines(body), "\\bottomrule", "\\end{tabular}", "",
  ].join("\n");
}

function asCsv(section) {
  const quote = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return shownRows(section).map((row) => `${row.map((cell) => quote(plainText(cell))).join(",")}\n`).join("");
}

async function copyTable(button) {
  const section = button.closest("section.table");
  const format = button.dataset.format;
  const text = format === "CSV" ? asCsv(section) : asLatex(section);
  const isCopied = await copyText(text);
  const [head, ...body] = shownRows(section);
  const size = `${body.length} row${body.length === 1 ? "" : "s"}, ${head.length} column${head.length === 1 ? "" : "s"}`;
  section.querySelector(".copied").textContent = isCopied ? `Copied: ${size}` : "";
  if (isCopied) return;
  const area = createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.setAttribute("aria-label", `The table as ${format}`);
  showInDialog(`The table as ${format}`, createElement("p", "Copy it with Ctrl+C or ⌘C."), area);
  area.select();
}

// --- Links to rows: the row is shown even if a filter hides it, and is highlighted by the style.

function showTarget() {
  let row = null;
  try {
    row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  } catch { return; } // not an encoded name
  if (!row || row.tagName !== "TR") return;
  if (!isVisible(row) || !isVisible(row.closest("section"))) {
    rowFilter.value = "";
    if (datasetFilter) datasetFilter.value = "";
    filterRows();
  }
  row.scrollIntoView(); // where the browser has not, because the row was hidden
}
