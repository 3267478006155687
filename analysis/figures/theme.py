"""What all figures share: colours, fonts, safe text, short numbers."""

import html
from collections.abc import Iterable
from typing import Any

import numpy as np
import plotly.graph_objects as go

# Okabe & Ito (2008): told apart with any colour vision; yellow is left out, too pale on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
STATUS_COLOURS = {
    "COMPLETED": "#0072B2",
    "STOPPED": "#E69F00",
    "RUNNING": "#009E73",
    "FAILED": "#D55E00",
    "ABANDONED": "#CC79A7",
}
MOST_NAMED = 1000  # points of a figure that say their configuration when pointed at; the words of more fill megabytes
GREY = "#B4B9C0"
INK = "#2B2F36"

_AXIS = {
    "gridcolor": "#ECEEF1",
    "linecolor": "#9AA1AB",
    "showline": True,
    "ticks": "outside",
    "tickcolor": "#9AA1AB",
    "zeroline": False,
    "automargin": True,
    "title": {"standoff": 8},
}
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "colorway": list(COLOURS),
        "hoverlabel": {"font": {"size": 12}, "namelength": 60},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "legend": {"bgcolor": "rgba(255,255,255,0)", "font": {"size": 12}},
        "margin": {"l": 64, "r": 20, "t": 16, "b": 52},
    }
)


def new_figure(height: int, **layout: Any) -> go.Figure:
    return go.Figure(layout={"template": TEMPLATE, "height": height, **layout})


def empty_figure(reason: str) -> go.Figure:
    """A figure that says why there is nothing to show."""
    figure = new_figure(140, meta={"empty": reason}, xaxis={"visible": False}, yaxis={"visible": False})
    figure.add_annotation(text=safe(reason), showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    return figure


def why_empty(figure: go.Figure) -> str:
    """The reason of an `empty_figure`; empty for one with something to show."""
    return str((figure.layout.meta or {}).get("empty", ""))


def safe(text: str) -> str:
    """Text for a label: Plotly reads labels as a little HTML, and knows these three entities."""
    return html.escape(text, quote=False)


def numbers(values: Iterable[Any]) -> list[float | None]:
    """Four significant digits, enough for a screen; None for what is not finite, since JSON has no NaN."""
    x = np.asarray(list(values), dtype=float)
    return [float(f"{v:.4g}") if np.isfinite(v) else None for v in x]


def robust_range(values: Iterable[Any], *, keep_zero: bool = False) -> tuple[list[float] | None, int]:
    """An axis range that a few exploded trials cannot flatten, and how many values it leaves outside.

    The range holds what lies within 1.5 interquartile ranges of the middle half (Tukey's fences), and the middle 90 %.
    None, so that all values show, if they reach less than three times as far: that hides nothing.
    """
    x = np.asarray(list(values), dtype=float)
    x = x[np.isfinite(x)]
    if len(x) == 0:
        return None, 0
    q05, q25, q75, q95 = np.quantile(x, [0.05, 0.25, 0.75, 0.95])
    reach = 1.5 * (q75 - q25)
    inside = x[(x >= min(q05, q25 - reach)) & (x <= max(q95, q75 + reach))]
    low, high = float(inside.min()), float(inside.max())
    if keep_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    pad = 0.05 * (high - low or 1.0)
    outside = int(((x < low - pad) | (x > high + pad)).sum())
    exploded = float(x.max() - x.min()) > 3 * (high - low)
    return ([low - pad, high + pad], outside) if exploded and outside else (None, 0)


def beyond_note(outside: int) -> str:
    """Says how many values a robust range leaves out; empty if none."""
    if outside == 0:
        return ""
    values = "value lies" if outside == 1 else "values lie"
    return f" {outside} extreme {values} beyond the axis; double-click the plot for all."


def legend_below(figure: go.Figure, entries: int) -> None:
    """Put the legend under the plot, one entry a line, and make room for it."""
    room = 20 * entries + 62
    below = 52
    plot = figure.layout.height - (figure.layout.margin.t or 16) - below
    figure.update_layout(
        height=figure.layout.height + room - below,
        margin_b=room,
        legend={"orientation": "v", "x": 0, "xanchor": "left", "y": -56 / plot, "yanchor": "top", "tracegroupgap": 0},
    )
