"""Each hyper-parameter against the accuracy, all others ignored."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from scipy.stats import spearmanr

from analysis.figures.parallel import log_ticks
from analysis.figures.theme import MOST_NAMED, TEMPLATE, empty_figure, numbers, robust_range, safe
from analysis.gap_table import gaps, matched_epoch
from analysis.results import Results
from analysis.searched import is_drawn, is_log, searched
from analysis.wording import correlation, labels, short

MOST_PANELS = 6
MOST_POINTS = 2000
MOST_LEVELS = 12  # with more numbers the axis is one of numbers


def slices(results: Results) -> go.Figure:
    """A panel per hyper-parameter: one point a trial, its accuracy at the matched epoch, coloured by its gap."""
    everyone, names = _everyone(results)
    if everyone.empty:
        return empty_figure(_NOTHING)
    table, names = _sample(everyone), names[:MOST_PANELS]
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = make_subplots(
        rows=rows, cols=columns, shared_yaxes=True, horizontal_spacing=0.04, vertical_spacing=0.3 / rows
    )
    figure.update_layout(template=TEMPLATE, height=90 + 240 * rows, margin={"t": 16})
    span, _ = robust_range(table["gap_loss"])
    texts = [safe(text) for text in labels(table, names)] if len(table) * len(names) <= MOST_NAMED else None
    low, high = span or (float(table["gap_loss"].min()), float(table["gap_loss"].max()))
    colours = {"cmin": low, "cmax": max(high, low + 1e-9), "colorscale": "Viridis"}
    rng = np.random.default_rng(0)
    for place, name in enumerate(names):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        levels = sorted(table[name].dropna().unique())
        numeric = pd.api.types.is_numeric_dtype(table[name])
        listed = not numeric or (len(levels) <= MOST_LEVELS and not is_drawn(results, name, "uniform", "loguniform"))
        # Points of one level side by side instead of on top of each other.
        x = table[name].map(levels.index) + rng.uniform(-0.3, 0.3, len(table)) if listed else table[name]
        figure.add_scatter(
            x=numbers(x),
            y=numbers(table["val_acc"]),
            mode="markers",
            marker={
                "size": 6 if len(table) <= 200 else 4,
                "color": numbers(table["gap_loss"]),
                "colorbar": {"title": {"text": "gap"}, "thickness": 14, "outlinewidth": 0},
                "showscale": place == 0,
                **colours,
            },
            text=texts,
            hovertemplate=("%{text}<br>" if texts else "")
            + "accuracy %{y:.4f}, gap %{marker.color:.3f}<extra></extra>",
            showlegend=False,
            **at,
        )
        if listed:
            named = [safe(short(level)) for level in levels]
            axis = {"tickvals": list(range(len(levels))), "ticktext": named, "range": [-0.6, len(levels) - 0.4]}
        else:
            axis = {}
            if is_log(results, name):
                ticks = log_ticks(float(levels[0]), float(levels[-1]))
                axis = {"type": "log", "tickvals": ticks, "ticktext": [short(tick) for tick in ticks]}
        figure.update_xaxes(title_text=safe(name), **axis, **at)
    figure.update_yaxes(title_text="validation accuracy", col=1)
    return figure


def slices_sentence(results: Results) -> str:
    """The number whose rank goes most with that of the accuracy, if any does for sure; of configurations, means over
    their replicates, which are no independent points."""
    everyone, set_to = _everyone(results)
    if everyone.empty:
        return _NOTHING
    table, names = _sample(everyone), set_to[:MOST_PANELS]
    # Another sweep's copy of a configuration, or a setting that trains the same network, is no further point.
    own = ["val_loss", "train_eval_loss"]
    means = table.groupby(set_to, dropna=False)[["val_acc", *own]].mean().reset_index().drop_duplicates(own)
    numeric = [name for name in names if pd.api.types.is_numeric_dtype(means[name]) and means["val_acc"].nunique() > 1]
    found = {name: spearmanr(means[name], means["val_acc"]) for name in numeric}
    replicates = "" if len(means) == len(table) else f" of {len(means)} configurations"
    sample = f" (a sample of {len(everyone)})" if len(everyone) > len(table) else ""
    shown = f" The first {len(names)} of {len(set_to)} hyper-parameters are drawn." if len(set_to) > len(names) else ""
    said = f"Accuracy at epoch {matched_epoch(results)}, {len(table)} trials{sample}{replicates}.{shown}"
    if found:
        first = max(found, key=lambda name: abs(found[name].statistic))
        rho = f"Spearman's correlation {correlation(found[first].statistic)}"
        # Bonferroni: the largest of several was picked.
        sure = found[first].pvalue * len(found) < 0.05
        said += (
            f" Its rank goes most with that of {first} ({rho})."
            if sure
            else f" Its rank goes with that of no number for sure (most with {first}: {rho})."
        )
    return said


_NOTHING = "Nothing was searched, or no trial reached a common epoch."


def _everyone(results: Results) -> tuple[pd.DataFrame, list[str]]:
    """Accuracy and gap at the matched epoch, and the hyper-parameters that differ; empty if none does."""
    table = gaps(results)
    table = table[np.isfinite(table["val_acc"]) & np.isfinite(table["gap_loss"])]
    names = [name for name in searched(results) if table[name].nunique() > 1]
    return (table if names else table.iloc[:0]), names


def _sample(table: pd.DataFrame) -> pd.DataFrame:
    return table.sample(MOST_POINTS, random_state=0) if len(table) > MOST_POINTS else table
