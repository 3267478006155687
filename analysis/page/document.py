"""The report as a page of HTML."""

from plotly.offline import get_plotlyjs

from analysis import figures
from analysis.figures.theme import why_empty
from analysis.findings import findings
from analysis.gap_table import matched_epoch
from analysis.page.header import READING, header, title
from analysis.page.markup import escape, figure_block, paragraph, table
from analysis.page.style import CSS, SCRIPT
from analysis.page.tables import Table, all_trials, best_configurations, factor_levels
from analysis.results import Results

# The browser itself then refuses whatever the page might try to fetch. Plotly's parallel coordinates compile their
# drawing functions, hence unsafe-eval.
POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"


def document(results: Results) -> str:
    """The report as HTML."""
    found = "".join(f"<p><b>{escape(f.title)}</b> {escape(f.text)}</p>" for f in findings(results))
    levels, trials = factor_levels(results), all_trials(results)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title(results))}</title>
<style>{CSS}</style>
<script id="plotly">{get_plotlyjs()}</script>
</head><body><main>
{header(results)}
<section class="findings" aria-label="Findings">{found}</section>
{READING}
<h2>Best configurations</h2>{_table(best_configurations(results))}
<h2>Figures</h2>{_figures(results)}
{f"<h2>Gap by setting, at epoch {matched_epoch(results)}</h2>{_table(levels)}" if levels.columns else ""}
<h2>Trials</h2><details><summary>All trials ({len(results.trials)})</summary>{_table(trials)}</details>
</main><script>{SCRIPT}</script></body></html>
"""


def _figures(results: Results) -> str:
    """Those with something to show, and why the others are not there."""
    shown, left_out = [], []
    for name, draw, say in figures.ALL:
        figure = draw(results)
        if why_empty(figure):
            left_out.append(f"<li>{escape(name)}: {escape(why_empty(figure))}</li>")
        else:
            shown.append(f"<h3>{escape(name)}</h3>{paragraph(say(results), 'soft')}{figure_block(figure)}")
    rest = f'<h3>Not shown</h3><ul class="soft">{"".join(left_out)}</ul>' if left_out else ""
    return "".join(shown) + rest


def _table(content: Table) -> str:
    return (table(content) if content.columns else "") + paragraph(content.words, "soft")
