"""Differences between the settings of each hyper-parameter, with their intervals, one under the other."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.comparison import ALPHA, RELEVANT_LOSS, compare_levels, holm
from analysis.figures.theme import COLOURS, GREY, empty_figure, new_figure, numbers, safe
from analysis.gap_levels import level_name, levels_of
from analysis.gap_table import matched_epoch
from analysis.results import Results
from analysis.searched import first_level, searched
from analysis.wording import nats, p_value, short

MEASURES = {"val_loss": "validation loss", "gap_loss": "gap"}
MOST_DRAWN = 40


def forest(results: Results) -> go.Figure:
    """Per factor its levels against the first one: difference in validation loss and in gap, paired over replicates."""
    table = differences(results)
    if table.empty:
        return empty_figure(_nothing(results))
    rows = table[table["measure"] == "val_loss"].head(MOST_DRAWN)
    rows = rows.assign(place=range(len(rows)))
    figure = new_figure(130 + 22 * len(rows), margin={"t": 56, "b": 56})
    for place, (measure, name) in enumerate(MEASURES.items()):
        own = table[table["measure"] == measure].merge(rows[["factor", "a", "place"]], on=["factor", "a"])
        hover = [
            f"{safe(row['label'])}<br>{name} {nats(row['difference'], sign=True)}<br>n = {row['n']}, {p_value(p)}"
            for row, p in zip(own.to_dict("records"), own["p_holm"], strict=True)
        ]
        figure.add_scatter(
            x=numbers(own["difference"]),
            y=[int(row) for row in own["place"]],
            xaxis="x" if place == 0 else "x2",
            mode="markers",
            marker={"size": 9, "color": [COLOURS[place] if sure else GREY for sure in own["sure"]]},
            error_x={
                "type": "data",
                "array": numbers(own["high"] - own["difference"]),
                "color": GREY,
                "thickness": 1.5,
                "width": 4,
            },
            text=hover,
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
        )
        figure.add_vline(x=0, line={"color": "#6B727C", "width": 1}, xref=f"x{place + 1 if place else ''}")
    figure.update_layout(
        xaxis={"domain": [0, 0.48], "title": {"text": "difference in validation loss (nats)"}},
        xaxis2={"domain": [0.52, 1], "title": {"text": "difference in gap (nats)"}, "anchor": "y"},
        yaxis={
            "tickvals": [int(row) for row in rows["place"]],
            "ticktext": [safe(text) for text in rows["label"]],
            "range": [len(rows) - 0.4, -0.6],
            "tickfont": {"size": 11},
        },
    )
    return figure


def forest_sentence(results: Results) -> str:
    """What is sure, the largest of it, and what stays open."""
    table = differences(results)
    if table.empty:
        return _nothing(results)
    losses = table[table["measure"] == "val_loss"]
    sure = losses[losses["sure"]].sort_values("difference", key=abs, ascending=False)
    coloured = (
        f"Coloured: sure at 5 % for all {len(table)} differences together (Holm); intervals are 95 % for each alone, "
        f"over {_counts(losses['n'])} replicates at epoch {matched_epoch(results)}."
    )
    if len(losses) > MOST_DRAWN:
        coloured += f" The first {MOST_DRAWN} of {len(losses)} are drawn."
    if sure.empty:
        return f"No setting differs for sure from the first one in validation loss. {coloured}"
    most = sure.iloc[0]
    return (
        f"{most['label']}: validation loss {nats(most['difference'], sign=True)} ({nats(most['low'], sign=True)} to "
        f"{nats(most['high'], sign=True)}), the largest of {len(sure)} sure ones among {len(losses)}. {coloured}"
    )


def differences(results: Results) -> pd.DataFrame:
    """Levels against the first one of their factor, by each of MEASURES, where the others were held equal.

    Columns: factor, measure, label, those of `analysis.compare` with Holm over all rows, and sure: p is below 0.05.
    """
    found = []
    for factor in searched(results):
        first = level_name(first_level(results, factor))
        for measure in MEASURES:
            levels = levels_of(results, factor, value=measure)
            known = [name for name, values in levels.values.items() if len(values)]
            if len(known) < 2 or levels.unit != "replicates":
                continue
            table = compare_levels(levels, RELEVANT_LOSS, baseline=first if first in known else known[0])
            labels = [f"{factor} {_brief(a)} against {_brief(b)}" for a, b in zip(table["a"], table["b"], strict=True)]
            found.append(table.assign(factor=factor, measure=measure, label=labels))
    if not found:
        return pd.DataFrame(columns=["factor", "measure", "label", "sure"])
    everything = pd.concat(found, ignore_index=True)
    everything = everything[everything["n"] > 1]
    adjusted = holm(everything["p"].to_numpy(float))
    return everything.assign(p_holm=adjusted, sure=np.nan_to_num(adjusted, nan=1.0) < ALPHA)


def _nothing(results: Results) -> str:
    if not any(results.trials[factor].nunique() > 1 for factor in searched(results)):
        return "Only one setting was tried, so there is nothing to compare it with."
    return (
        "No setting was trained with two or more replicates and all others held equal, so no difference has an "
        "interval; `mode: study` with `replicates: 3` or more gives them."
    )


def _brief(level: str) -> str:
    try:
        return short(float(level))
    except ValueError:
        return short(level)


def _counts(n: pd.Series) -> str:
    return str(n.iloc[0]) if n.nunique() == 1 else f"{n.min()} to {n.max()}"
