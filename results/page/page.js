// One part of the page's script; build.py joins the parts into one function.

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
  themeButton.textContent = isDark ? "Use light theme" : "Use dark theme";
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
  const copyButton = event.target.closest("button.copy");
  closeMenus(event.target.closest(".column-menu"));
  if (heading) sortBy(heading);
  else if (button) openDialog(button);
  else if (copyButton) copyTable(copyButton);
  else if (event.target.matches(".all-columns")) chooseColumns(event.target.closest("section.table"), () => true);
  else if (event.target.matches(".first-columns")) {
    chooseColumns(event.target.closest("section.table"), (box) => box.defaultChecked);
  }
  else if (event.target === dialog) dialog.close(); // a click on the backdrop
});
document.addEventListener("change", (event) => {
  const section = event.target.closest("section.table");
  if (!section || !event.target.dataset.column) return;
  showColumn(section, event.target.dataset.column, event.target.checked);
  resetTabStop(section);
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
  if (event.key === "Escape") {
    hideTooltip();
    const menu = event.target.closest(".column-menu[open]");
    if (menu) menu.querySelector("summary").focus();
    closeMenus();
  }
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
addEventListener("hashchange", showTarget);
showTarget();
