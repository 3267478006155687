"""Quantile bands over trials: what stands for the crowd where its lines would be a blot."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import GREY, numbers


def quantiles(epochs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Quantiles 0.1, 0.25, 0.5, 0.75, 0.9 over the trials that reached each epoch, and their number n."""
    finite = epochs[np.isfinite(epochs[column])]
    by_epoch = finite.groupby("epoch")[column]
    wanted = [0.1, 0.25, 0.5, 0.75, 0.9]
    table = by_epoch.quantile(wanted).unstack().reindex(columns=wanted)  # without a finite value it has none of them
    return table.assign(n=by_epoch.size())


def add_bands(figure: go.Figure, epochs: pd.DataFrame, column: str, *, what: str, legend: bool, **place: int) -> None:
    """Draw the middle 80 %, the middle 50 % and the median of a column over all trials."""
    table = quantiles(epochs, column)
    x = [int(e) for e in table.index]
    for low, high, opacity in ((0.1, 0.9, 0.25), (0.25, 0.75, 0.55)):
        figure.add_scatter(
            x=x + x[::-1],
            y=numbers(table[high]) + numbers(table[low])[::-1],
            fill="toself",
            fillcolor=f"rgba(180,185,192,{opacity})",
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            name=f"middle {round(100 * (high - low))} % of trials, {what}",
            showlegend=legend,
            **place,
        )
    figure.add_scatter(
        x=x,
        y=numbers(table[0.5]),
        customdata=[int(n) for n in table["n"]],
        mode="lines",
        line={"color": "#6B727C", "width": 1.5},
        name=f"median of the trials that reached the epoch, {what}",
        hovertemplate="epoch %{x}: median %{y}, %{customdata} trials<extra></extra>",
        showlegend=legend,
        **place,
    )


def add_crowd(figure: go.Figure, x: list, y: list, *, name: str, legend: bool, **place: int) -> None:
    """Draw the other trials as thin grey lines, one trace for all."""
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line={"color": GREY, "width": 1},
        marker={"size": 3},
        opacity=0.8,
        hoverinfo="skip",
        name=name,
        showlegend=legend,
        **place,
    )
