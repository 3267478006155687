"""The report's style sheet and its script."""

CSS = """
:root { --ink: #22262d; --soft: #626a75; --line: #dfe3e8; --tint: #f5f7f9; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff; font: 15px/1.55 system-ui, "Segoe UI", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 10px; padding-bottom: 4px; border-bottom: 1px solid var(--line); }
h3 { font-size: 16px; margin: 30px 0 2px; }
p { margin: 6px 0; overflow-wrap: anywhere; }
.state { font-size: 12px; font-weight: 600; padding: 2px 9px; border-radius: 10px; background: var(--tint);
  border: 1px solid var(--line); vertical-align: 4px; margin-left: 8px; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 8px 24px; margin: 14px 0 0; }
.facts div { border-left: 3px solid var(--line); padding-left: 10px; overflow-wrap: anywhere; }
.facts dt { color: var(--soft); font-size: 12px; }
.facts dd { margin: 0; }
.findings { background: var(--tint); border-left: 4px solid var(--accent); padding: 10px 18px; margin-top: 26px; }
.findings p { margin: 8px 0; }
.box { border: 1px solid var(--line); border-radius: 6px; padding: 8px 18px 12px; margin-top: 22px; }
.box summary, details summary { cursor: pointer; font-weight: 600; }
.box dt { font-weight: 600; margin-top: 8px; }
.box dd { margin: 0; }
.soft { color: var(--soft); font-size: 13.5px; }
.scroll { overflow-x: auto; max-height: 640px; overflow-y: auto; margin-top: 10px; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 10px 4px 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { position: sticky; top: 0; background: #fff; white-space: normal; vertical-align: bottom; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:hover, th button:focus-visible { color: var(--accent); text-decoration: underline; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
td.text, th.text { text-align: left; }
td.long { text-align: left; white-space: normal; min-width: 240px; max-width: 460px; overflow-wrap: anywhere; }
tbody tr:hover { background: var(--tint); }
.figure { margin: 6px 0 0; }
@media print { .scroll { max-height: none; } details { display: block; } }
"""

# A cell's data-v is what it sorts by: a number, or text where the first cell with a value is none.
SCRIPT = """
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.parentElement, place = head.cellIndex, body = head.closest("table").tBodies[0];
    const up = head.getAttribute("aria-sort") === "descending";
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = row => row.cells[place].dataset.v ?? row.cells[place].textContent;
    const numeric = !head.classList.contains("text");
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      return (up ? 1 : -1) * (numeric ? x - y : x.localeCompare(y));
    });
    body.append(...rows);
  });
}
for (const data of document.querySelectorAll("script[type='application/json']")) {
  const figure = JSON.parse(data.textContent);
  Plotly.newPlot(data.previousElementSibling, figure.data, figure.layout,
    {responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"]});
}
"""
