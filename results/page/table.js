// One part of the page's script; build.py joins the parts into one function.

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

// Words are searched in what is seen and in names of networks, which may be hidden.
function searchedText(row) {
  const isSearched = (cell) => isVisible(cell) || cell.classList.contains("left");
  return [...row.cells].filter(isSearched).map((cell) => cell.textContent).join("\n").toLowerCase();
}

function filterRows() {
  const words = rowFilter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const dataset = datasetFilter ? datasetFilter.value : "";
  const hasDataset = (element) => !dataset || element.dataset.datasets.split(" ").includes(dataset);
  let shownRows = 0;
  let allRows = 0;
  for (const section of sections) {
    const rows = [...section.querySelector("tbody").rows];
    for (const row of rows) {
      const text = searchedText(row);
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
  const first = buttons.find((button) => isVisible(button.closest("tr")) && isVisible(button.closest("td, th")));
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
    if (next && isVisible(rows[row].cells[column])) return next.focus();
  }
}
