"""The report, put together and written."""

from pathlib import Path

from plotly.offline import get_plotlyjs

from analysis import figures
from analysis.findings import findings
from analysis.page.header import READING, header, title
from analysis.page.markup import escape, figure_block, paragraph
from analysis.page.style import CSS, SCRIPT
from analysis.page.tables import all_trials, best_configurations, factor_levels
from analysis.results import Results
from sweep.store.folder import write_atomically

FIGURES = (
    ("Learning curves", figures.learning_curves, figures.learning_curves_sentence),
    ("Gap over epochs", figures.gap_curves, figures.gap_curves_sentence),
    ("What the usual difference is made of", figures.gap_decomposition, figures.gap_decomposition_sentence),
    ("What batch norm's statistics cost", figures.variance_shift, figures.variance_shift_sentence),
    ("Differences between settings", figures.forest, figures.forest_sentence),
    ("What matters", figures.importances, figures.importances_sentence),
    ("Layer orders", figures.order_heatmap, figures.order_heatmap_sentence),
    ("Gap per configuration", figures.configuration_gaps, figures.configuration_gaps_sentence),
    ("Gap against validation loss", figures.gap_scatter, figures.gap_scatter_sentence),
    ("Accuracy against gap", figures.pareto_front, figures.pareto_front_sentence),
    ("One hyper-parameter at a time", figures.slices, figures.slices_sentence),
    ("Parallel coordinates", figures.parallel_coordinates, figures.parallel_coordinates_sentence),
    ("Best so far", figures.best_so_far, figures.best_so_far_sentence),
    ("What early stopping did", figures.rung_funnel, figures.rung_funnel_sentence),
    ("Trials over time", figures.trial_timeline, figures.trial_timeline_sentence),
)

# The browser itself then refuses whatever the page might try to fetch. Plotly's parallel coordinates compile their
# drawing functions, hence unsafe-eval.
POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"


def report(results: Results, out: str | Path) -> Path:
    """Write the report to `out`: one HTML file of about 5 MB that opens offline. Returns its absolute path.

    Works on a running sweep, on one without epochs, and on one in which every trial failed.
    Raises OSError if the file cannot be written; an existing file then stays as it was.
    """
    path = Path(out).absolute()
    write_atomically(path, document(results).encode())
    return path


def document(results: Results) -> str:
    """The report as HTML."""
    found = "".join(f"<p><b>{escape(f.title)}</b> {escape(f.text)}</p>" for f in findings(results))
    plots = "".join(_section(name, draw(results), say(results)) for name, draw, say in FIGURES)
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
<h2>Best configurations</h2>{best_configurations(results)}
<h2>Figures</h2>{plots}
{factor_levels(results)}
<h2>Trials</h2>{all_trials(results)}
</main><script>{SCRIPT}</script></body></html>
"""


def _section(name: str, figure: object, sentence: str) -> str:
    block = figure_block(figure)
    said = paragraph(sentence, "soft") if "<script" in block else ""
    return f"<h3>{escape(name)}</h3>{said}{block}"
