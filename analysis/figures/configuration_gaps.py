"""The gap of each configuration at the matched epoch, with intervals over its replicates."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import COLOURS, GREY, empty_figure, new_figure, numbers, robust_range, safe
from analysis.gap_table import gaps, matched_epoch
from analysis.intervals import t_interval
from analysis.results import CONFIGURATION_KEY, Results
from analysis.searched import searched
from analysis.wording import labels, nats

MOST_ROWS = 40


def configuration_gaps(results: Results) -> go.Figure:
    """Horizontal dots, smallest gap on top; with more than 40 configurations, the 20 smallest and the 20 largest."""
    table = _intervals(results)
    if table.empty:
        return empty_figure("No trial has a finite gap at a matched epoch.")
    shown = _ends(table)
    y = list(range(len(shown)))
    figure = new_figure(110 + 22 * len(shown), margin={"t": 16, "b": 56})
    figure.add_scatter(
        x=numbers(shown["at_best"]),
        y=y,
        mode="markers",
        marker={"color": GREY, "size": 7, "symbol": "diamond-open"},
        name="each at its own best epoch (not matched)",
        hovertemplate="gap at best epoch %{x:.3f}<extra></extra>",
    )
    # A gap beyond the axis sits on its edge as an arrow with its value beside it.
    span, _ = robust_range(table["mean"], keep_zero=True)
    drawn = shown["mean"] if span is None else shown["mean"].clip(*np.quantile(span, [0.02, 0.98]))
    beyond = np.sign(shown["mean"] - drawn).astype(int)
    value = [f"{mean:.3g}".replace("-", "−") if side else "" for mean, side in zip(shown["mean"], beyond, strict=True)]
    arm = numbers(shown["high"] - shown["mean"])
    hover = [
        f"{safe(text)}<br>n = {n}<br>gap {nats(mean)}"
        for text, n, mean in zip(shown["label"], shown["n"], shown["mean"], strict=True)
    ]
    figure.add_scatter(
        x=numbers(drawn),
        y=y,
        mode="markers+text",
        marker={
            "color": COLOURS[0],
            "size": 9,
            "symbol": [("circle", "triangle-right", "triangle-left")[side] for side in beyond],
        },
        text=value,
        textposition=["middle right" if side < 0 else "middle left" for side in beyond],
        textfont={"size": 11},
        cliponaxis=False,
        error_x={"type": "data", "array": arm, "color": COLOURS[0], "thickness": 1.5, "width": 4},
        name=f"at epoch {matched_epoch(results)}, with 95 % interval where n > 1",
        hovertext=hover,
        hovertemplate="%{hovertext}<extra></extra>",
    )
    figure.add_vline(x=0, line={"color": "#6B727C", "width": 1})
    if len(shown) < len(table):
        figure.add_hline(y=len(shown) / 2 - 0.5, line={"color": "#6B727C", "width": 1, "dash": "dot"})
    ticks = [safe(text) for text in shown["label"]]
    figure.update_yaxes(tickvals=y, ticktext=ticks, range=[len(shown) - 0.4, -0.6], tickfont={"size": 11})
    figure.update_xaxes(title_text="gap: validation − training loss (nats)", range=span)
    figure.update_layout(margin_t=56, legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"})
    return figure


def configuration_gaps_sentence(results: Results) -> str:
    """The smallest and largest gap, what an interval stands on, and what the cap leaves out."""
    table = _intervals(results)
    if table.empty:
        return ""
    at = f"At epoch {matched_epoch(results)}"
    first, last = table.iloc[0], table.iloc[-1]
    if len(table) == 1:
        words = f"{at} the gap is {nats(first['mean'])} (n = {first['n']})."
    else:
        words = (
            f"{at} the gap reaches from {nats(first['mean'])} ({first['label']}) to {nats(last['mean'])} "
            f"({last['label']})."
        )
    if int(table["n"].max()) < 2:
        words += " Every configuration has one replicate, so no dot has an interval."
    if len(table) > MOST_ROWS:
        half = MOST_ROWS // 2
        words += f" Shown are the {half} smallest and the {half} largest of {len(table)}; the dotted line parts them."
    return words


def _ends(table: pd.DataFrame) -> pd.DataFrame:
    if len(table) <= MOST_ROWS:
        return table
    return pd.concat([table.head(MOST_ROWS // 2), table.tail(MOST_ROWS // 2)])


def _intervals(results: Results) -> pd.DataFrame:
    """One row a configuration with a finite gap at the matched epoch, smallest first."""
    rows = gaps(results)
    best = gaps(results, "best")
    found = []
    firsts = results.trials.drop_duplicates(CONFIGURATION_KEY)
    named = dict(zip(_keys(firsts), labels(firsts, searched(results)), strict=True))
    at_best = best.groupby(CONFIGURATION_KEY)["gap_loss"].mean().to_dict()
    for key, group in rows.groupby(CONFIGURATION_KEY, sort=False):
        i = t_interval(group["gap_loss"])
        if i.n:
            found.append((named[key], i.n, i.mean, i.low, i.high, at_best[key]))
    table = pd.DataFrame(found, columns=["label", "n", "mean", "low", "high", "at_best"])
    return table.sort_values("mean", ignore_index=True)


def _keys(rows: pd.DataFrame) -> list[tuple]:
    return list(zip(*(rows[name] for name in CONFIGURATION_KEY), strict=True))
