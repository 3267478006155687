"""How soon the sweep found what it found."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.clock import clock_for
from analysis.figures.theme import COLOURS, empty_figure, new_figure, numbers
from analysis.results import Results

NEAR = 0.005  # half a point of accuracy


def best_so_far(results: Results) -> go.Figure:
    """The highest validation accuracy so far: left against the clock, right against the epochs spent by all trials."""
    table = _progress(results)
    if table.empty:
        return empty_figure(_NOTHING)
    # Only where it rises, and the end: the steps between are level.
    shown = table[(table["best"].diff() != 0) | (np.arange(len(table)) == len(table) - 1)]
    clock = clock_for(table["seconds"].max())
    figure = new_figure(320)
    for axis, x, unit in (("", shown["seconds"] / clock.seconds, clock.short), ("2", shown["spent"], "epochs")):
        figure.add_scatter(
            x=numbers(x),
            y=numbers(shown["best"]),
            xaxis=f"x{axis}",
            mode="lines",
            line={"color": COLOURS[0], "width": 2, "shape": "hv"},
            hovertemplate=f"%{{x}} {unit}: %{{y:.4f}}<extra></extra>",
            showlegend=False,
        )
    figure.update_layout(
        xaxis={"domain": [0, 0.48], "title": {"text": clock.title}, "rangemode": "tozero"},
        xaxis2={"domain": [0.52, 1], "title": {"text": "epochs of all trials together"}, "rangemode": "tozero"},
        yaxis={"title": {"text": "best validation accuracy"}},
    )
    return figure


def best_so_far_sentence(results: Results) -> str:
    """When the best accuracy came, and when half a point less did."""
    table = _progress(results)
    if table.empty:
        return _NOTHING
    best = float(table["best"].iloc[-1])
    found, near = (table[table["best"] >= best - less].iloc[0] for less in (0.0, NEAR))
    said = f"The best validation accuracy, {best:.4f}, came after {_when(found, table)}"
    if found["spent"] == 1:
        return f"{said}."
    if near["spent"] == found["spent"]:
        return f"{said}; the best before was more than half a point lower."
    return f"{said}; within half a point of it the sweep was after {_when(near, table)}."


_NOTHING = "No epoch with a validation accuracy has its time stored."


def _when(row: pd.Series, table: pd.DataFrame) -> str:
    return f"{clock_for(table['seconds'].max()).shown(row['seconds'])} and {row['spent']:.0f} of {len(table)} epochs"


def _progress(results: Results) -> pd.DataFrame:
    """The epochs of all trials in order of time: seconds, spent (epochs so far), best (accuracy so far)."""
    epochs = results.epochs
    # With a loss that is no number a network answers with the first class always, which is an accuracy of a kind.
    finite = np.isfinite(epochs["val_acc"].astype(float)) & np.isfinite(epochs["val_loss"].astype(float))
    known = finite & epochs["timestamp"].notna()
    table = epochs[known].sort_values("timestamp", kind="stable")
    zero = results.trials["started"].min()
    return pd.DataFrame(
        {
            "seconds": (table["timestamp"] - zero).dt.total_seconds(),
            "spent": np.arange(1, len(table) + 1),
            "best": table["val_acc"].cummax(),
        }
    )
