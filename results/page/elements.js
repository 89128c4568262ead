// One part of the page's script; build.py joins the parts into one function.
// Here: what the other parts share.

const provenance = JSON.parse(document.getElementById("provenance").textContent);
const tooltip = document.getElementById("tooltip");
const dialog = document.getElementById("cell-details");
const sections = selectAll("section.table");
const isVisible = (element) => !element.hidden;

function selectAll(selector, root = document) {
  return [...root.querySelectorAll(selector)];
}

function createElement(tag, text, ...children) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

function createButton(text, action) {
  const button = createElement("button", text);
  button.type = "button";
  button.addEventListener("click", () => action(button));
  return button;
}

// A cell's text without its marks; "·" stands for an empty text with details.
function plainText(cell) {
  const text = cell.textContent.trim();
  const unmarked = cell.querySelector(".tied") ? text.slice(0, -1) : text;
  return unmarked === "·" ? "" : unmarked;
}

// --- The clipboard. Returns false where the browser allows neither way to write to it.

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { // pages opened from a file may not use this way
    return copySelectedText(text);
  }
}

function copySelectedText(text) {
  const focused = document.activeElement;
  const area = createElement("textarea");
  area.className = "off-screen";
  area.value = text;
  (dialog.open ? dialog : document.body).append(area); // outside of an open dialog nothing is selected
  area.select();
  let isCopied = false;
  try {
    isCopied = document.execCommand("copy");
  } catch { /* it stays false */ }
  area.remove();
  focused.focus();
  return isCopied;
}
