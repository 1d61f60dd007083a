"use strict";
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const data = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip");

// Which contenders are shown.
const boxes = all("#controls input[type=checkbox]");
function choose() {
  const off = new Set(boxes.filter(box => !box.checked).map(box => "c" + box.value));
  const rules = [...off].map(name => `:is(tr,g).${name}{display:none}`);
  document.getElementById("hidden").textContent = rules.join("");
  for (const table of all(".others")) {
    const hides = all("thead th", table).map(head => off.has(head.className));
    for (const row of table.rows) [...row.cells].forEach((cell, i) => { cell.hidden = hides[i]; });
  }
}
boxes.forEach(box => box.addEventListener("change", choose));

// Milliseconds as microseconds: the decimal point moves, so no digit is made up.
const asRead = new Map();
function shifted(text) {
  const [whole, part = ""] = text.replaceAll(",", "").split(".");
  const digits = (whole + part.padEnd(3, "0").slice(0, 3)).replace(/^0+(?=\d)/, "");
  return digits.replace(/\B(?=(\d{3})+$)/g, ",") + (part.length > 3 ? "." + part.slice(3) : "");
}
const inMicroseconds = text =>
  text.replace(/(^|[^\w.])ms\b/g, "$1µs").replace(/(?<![#\d.,\w])\d[\d,]*(\.\d+)?(?![\d.,]* ?%)/g, shifted);
function timesWithin(root) {
  const nodes = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) nodes.push(walker.currentNode);
  return nodes;
}
const times = () => [
  ...all(".card.t :is(.u, thead span, td:nth-child(3), td:nth-child(4)), .chart.t :is(.u, .y, thead th:first-child, td), small.t"),
  ...all(".others tr").filter(row => row.cells[0].textContent.includes("(ms)")),
].flatMap(timesWithin);
function measureIn(unit) {
  for (const node of times()) {
    if (!asRead.has(node)) asRead.set(node, node.data);
    node.data = unit === "us" ? inMicroseconds(asRead.get(node)) : asRead.get(node);
  }
}
all("#controls input[type=radio]").forEach(radio => radio.addEventListener("change", () => measureIn(radio.value)));

// What lies under the pointer or has the focus.
function show(box, build) {
  tip.replaceChildren();
  build();
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const right = box.x + 16 + width > innerWidth ? box.x - 16 - width : box.x + 16;
  tip.style.left = Math.max(4, right) + "px";
  tip.style.top = Math.max(4, Math.min(box.y + 16, innerHeight - height - 4)) + "px";
}
const hide = () => { tip.hidden = true; all(".cross").forEach(line => line.remove()); };
function add(kind, text, to = tip) {
  const element = document.createElement(kind);
  element.textContent = text;
  to.append(element);
  return element;
}

// A row of a card: its figure to six digits, and how many trials are behind it.
function tellRow(row, box) {
  const number = row?.dataset.l ?? row?.closest(".load[id]")?.id.slice(5);
  if (number === undefined) return hide();
  const load = data.loads[number];
  const figure = load.figures.find(figure => figure.id === Number(row.closest(".card").dataset.f));
  const column = load.contenders.indexOf(Number(/\bc(\d+)/.exec(row.className)[1]));
  const [taken, valid] = load.trials[column];
  show(box, () => {
    add("b", `${row.cells[0].textContent.replace("†", "")}: ${figure.figure}`);
    const median = figure.median[column];
    const interval = figure.low ? `, 95 % interval ${figure.low[column]} to ${figure.high[column]}` : "";
    add("div", median === null ? row.cells[2].textContent : `median ${median}${interval}`);
    add("div", `${valid} of ${taken} trials count` + (figure.at_least?.includes(column) ? "; a lower bound" : figure.at_most?.includes(column) ? "; an upper bound" : ""));
  });
}
const middle = element => {
  const { left, right, bottom } = element.getBoundingClientRect();
  return { x: (left + right) / 2, y: bottom - 12 };
};
for (const body of all(".card tbody")) {
  all("svg", body).forEach(svg => svg.setAttribute("aria-hidden", "true"));
  [...body.rows].forEach((row, i) => { row.tabIndex = i ? -1 : 0; });
  body.addEventListener("pointermove", event => tellRow(event.target.closest("tr"), event));
  body.addEventListener("pointerleave", hide);
  body.addEventListener("focusin", event => tellRow(event.target.closest("tr"), middle(event.target)));
  body.addEventListener("focusout", hide);
  body.addEventListener("keydown", event => {
    const shown = [...body.rows].filter(row => row.offsetParent);
    const to = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const next = to && shown[shown.indexOf(document.activeElement) + to];
    if (next) { event.preventDefault(); next.focus(); }
  });
}

// A chart: the column of its table that is nearest to the pointer.
for (const chart of all(".chart")) {
  const svg = chart.querySelector("svg"), table = chart.querySelector("table");
  const stops = svg.dataset.stops.split(" ").map(Number);
  let at = 0;
  const tell = box => {
    hide();
    const cross = document.createElementNS("http://www.w3.org/2000/svg", "path");
    cross.setAttribute("class", "cross");
    cross.setAttribute("d", `M${stops[at]} 10V262`);
    svg.append(cross);
    const heads = table.tHead.rows[0].cells;
    const value = row => Number(row.cells[at + 1].textContent.replaceAll(",", "")) || 0;
    const rows = [...table.tBodies[0].rows].filter(row => getComputedStyle(row).display !== "none");
    show(box, () => {
      add("b", `${heads[0].textContent} ${heads[at + 1].textContent}`);
      const list = add("table", "");
      for (const row of rows.sort((a, b) => value(b) - value(a))) {
        const line = add("tr", "", list);
        line.className = row.className;
        add("th", row.cells[0].textContent, line);
        add("td", row.cells[at + 1].textContent, line);
      }
    });
  };
  svg.tabIndex = 0;
  svg.addEventListener("pointermove", event => {
    const x = new DOMPoint(event.clientX, 0).matrixTransform(svg.getScreenCTM().inverse()).x;
    at = stops.reduce((best, stop, i) => Math.abs(stop - x) < Math.abs(stops[best] - x) ? i : best, 0);
    tell(event);
  });
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("focus", () => tell(middle(svg)));
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", event => {
    const to = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (to && stops[at + to] !== undefined) { event.preventDefault(); at += to; tell(middle(svg)); }
  });
}
addEventListener("keydown", event => { if (event.key === "Escape") hide(); });

document.getElementById("save").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(data)], { type: "application/json" }));
  link.download = data.run + ".figures.json";
  link.click();
  URL.revokeObjectURL(link.href);
});
