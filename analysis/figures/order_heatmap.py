"""Layer orders against drop rates: where an order helps and where it harms."""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.comparison import ALPHA, compare, holm
from analysis.figures.theme import empty_figure, new_figure, safe
from analysis.gap_table import matched_epoch
from analysis.results import Results
from analysis.searched import first_level
from analysis.wording import nats, p_value, short

MOST_RATES = 12


def order_heatmap(results: Results) -> go.Figure:
    """Validation loss of each layer order less the first one's at the same drop rate, paired; blue is better."""
    table = order_differences(results)
    if table.empty:
        return empty_figure(_NOTHING)
    grid = {name: table.pivot(index="a", columns="drop_rate", values=name) for name in ("difference", "text", "hover")}
    order = grid["difference"].mean(axis=1).sort_values().index
    largest = float(table["difference"].abs().max()) or 1.0
    figure = new_figure(90 + 28 * len(order), margin={"t": 48, "b": 16})
    figure.add_heatmap(
        z=grid["difference"].loc[order].round(4).to_numpy(),
        x=[f"drop rate {short(float(rate))}" for rate in grid["difference"].columns],
        y=[safe(name) for name in order],
        text=grid["text"].loc[order].to_numpy(),
        texttemplate="%{text}",
        textfont={"size": 11},
        customdata=grid["hover"].loc[order].to_numpy(),
        hovertemplate="%{customdata}<extra></extra>",
        colorscale="RdBu",
        reversescale=True,
        zmin=-largest,
        zmax=largest,
        showscale=len(order) > 4,  # on fewer rows its ticks overlap; the cells say their numbers anyway
        colorbar={"title": {"text": "nats"}, "thickness": 14, "len": 1, "lenmode": "fraction", "outlinewidth": 0},
    )
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(type="category", side="top")
    return figure


def order_heatmap_sentence(results: Results) -> str:
    """How many differences are sure, and the largest."""
    table = order_differences(results)
    if table.empty:
        return _NOTHING
    baseline, n = table["b"].iloc[0], table["n"].min()
    sure = table[table["sure"]]
    lead = f"Each against {baseline} at the same drop rate, at epoch {matched_epoch(results)}, n = {n} or more pairs: "
    if sure.empty:
        return f"{lead}none of {len(table)} differences is sure at 5 % (Holm); in brackets half the 95 % interval."
    most = sure.sort_values("difference", key=abs).iloc[-1]
    return (
        f"{lead}{len(sure)} of {len(table)} differences are sure at 5 % (Holm; starred), the largest {most['a']} at "
        f"drop rate {short(float(most['drop_rate']))} with {nats(most['difference'], sign=True)} "
        f"({nats(most['low'], sign=True)} to {nats(most['high'], sign=True)}). In brackets half the 95 % interval."
    )


def order_differences(results: Results) -> pd.DataFrame:
    """The rows of `analysis.compare` for layer_order against its first one, one drop rate after the other.

    Columns: drop_rate, those of compare with Holm over all rows, sure (p below 0.05), text, hover. Empty where orders
    were not trained with two replicates and all else held equal, or the drop rate is not one of a few listed ones.
    """
    trials = results.trials
    rates = sorted(trials["drop_rate"].dropna().unique())
    if trials["layer_order"].nunique() < 2 or not 0 < len(rates) <= MOST_RATES:
        return pd.DataFrame()
    first = _first_order(results)
    found = []
    for rate in rates:
        own = replace(results, trials=trials[trials["drop_rate"] == rate])
        try:
            table = compare(own, "layer_order", "val_loss", epoch=matched_epoch(results), baseline=first)
        except ValueError:  # the first order has no finite value at this rate
            continue
        if len(table) and table["unit"].iloc[0] == "replicates":
            found.append(table[table["n"] > 1].assign(drop_rate=rate))
    if not found or all(table.empty for table in found):
        return pd.DataFrame()
    everything = pd.concat(found, ignore_index=True)
    adjusted = holm(everything["p"].to_numpy(float))
    everything = everything.assign(p_holm=adjusted, sure=np.nan_to_num(adjusted, nan=1.0) < ALPHA)
    rows = everything.to_dict("records")
    return everything.assign(
        text=[_cell(row) for row in rows],
        hover=[
            f"{safe(row['a'])} − {safe(row['b'])}: {nats(row['difference'], sign=True)}, n = {row['n']}, "
            + p_value(row["p_holm"])
            for row in rows
        ],
    )


def _cell(row: dict[Hashable, Any]) -> str:
    half = row["high"] - row["difference"]
    interval = "" if np.isnan(half) else f" (±{half:.3f})"
    return f"{row['difference']:+.3f}{interval}{'*' if row['sure'] else ''}".replace("-", "−")


def _first_order(results: Results) -> str:
    """The one that the spec names first, or lbrd, or the first trial's."""
    known = results.trials["layer_order"].dropna()
    return first_level(results, "layer_order") or ("lbrd" if "lbrd" in set(known) else str(known.iloc[0]))


_NOTHING = (
    f"Layer orders were not trained at up to {MOST_RATES} listed drop rates with two or more replicates and all else "
    "held equal; `mode: study` with several orders and `replicates: 3` or more does."
)
