// Reads the figures of the page off as a person does, then uses its controls.
const text = node => node.textContent.trim();
const cards = () => [...document.querySelectorAll(".load[id]")].map(load => ({
  load: text(load.querySelector("h2")),
  cards: [...load.querySelectorAll(".card")].map(card => ({
    figure: text(card.querySelector("b")),
    rows: [...card.tBodies[0].rows].map(row => [...row.cells].map(text)),
  })),
}));
const rows = (table, cell) => [...table.tBodies[0].rows].map(row => [...row.cells].map(cell));
const answer = cell => ({
  load: cell.querySelector("a")?.textContent,
  names: [...cell.querySelectorAll(".chip")].map(text),
  best: [...cell.querySelectorAll("small")].map(text).join(" "),
});
const read = {
  loads: cards(),
  answers: rows(document.querySelector("#answer ~ .scroll table"), answer),
  // Of a cell each line: which is first, and with whom.
  first: rows(document.querySelector("#ways ~ .scroll table"), cell =>
    [...cell.querySelectorAll("div")].map(said => text(said.firstChild) + " (" + text(said.lastChild) + ")").join("; ")),
  jobs: [...document.querySelectorAll("h2[id^=job]")].map(head => ({
    load: text(head),
    cards: [...head.parentElement.querySelectorAll(".card")].map(card => ({
      figure: text(card.querySelector("b")),
      rows: [...card.tBodies[0].rows].map(row => [...row.cells].map(text)),
    })),
  })),
};
document.querySelector("input[value=us]").click();
read.in_us = text(document.querySelector(".card.t td:nth-child(3)"));
document.querySelector("input[value=ms]").click();
read.again = JSON.stringify(cards()) === JSON.stringify(read.loads);
document.querySelector("#controls input[type=checkbox]").click();
read.shown = [...document.querySelectorAll(".card tr.c0")].filter(row => getComputedStyle(row).display !== "none").length;
const row = document.querySelector(".card tbody tr:not(.c0)");
row.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
read.tip = text(document.getElementById("tip"));
const chart = document.querySelector(".chart svg");
chart.dispatchEvent(new FocusEvent("focus"));
read.chart_tip = text(document.getElementById("tip"));
document.querySelector(".ways tr[data-l]:not(.c0)").dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
read.way_tip = text(document.getElementById("tip"));
globalThis.read = read;
