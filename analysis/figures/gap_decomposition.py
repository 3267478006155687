"""The difference that people usually plot, taken apart."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.decomposition import PARTS, decompose
from analysis.figures.curves import replicate_mean
from analysis.figures.theme import COLOURS, INK, empty_figure, new_figure, numbers
from analysis.ranking import rank_configurations
from analysis.results import CONFIGURATION_KEY, TRIAL_KEY, Results
from analysis.wording import nats

_COLOUR = dict(zip(PARTS, (COLOURS[1], COLOURS[0], COLOURS[5]), strict=True))


def gap_decomposition(results: Results) -> go.Figure:
    """The best configuration's validation loss minus its running training loss, by epoch, as a stack of its causes."""
    parts, _ = _of_the_best(results)
    if parts.empty:
        return empty_figure(_NOT_MEASURED)
    figure = new_figure(400, margin={"t": 40}, barmode="relative")
    x = [int(epoch) for epoch in parts["epoch"]]
    for part in PARTS:
        figure.add_bar(
            x=x,
            y=numbers(parts[part]),
            name=part,
            marker={"color": _COLOUR[part], "line": {"width": 0}},
            hovertemplate=f"epoch %{{x}}: {part} %{{y:+.3f}}<extra></extra>",
        )
    figure.add_scatter(
        x=x,
        y=numbers(parts["difference"]),
        name="sum: validation loss − running training loss",
        mode="lines+markers",
        line={"color": INK, "width": 2},
        marker={"size": 5},
        hovertemplate="epoch %{x}: sum %{y:+.3f}<extra></extra>",
    )
    figure.update_xaxes(title_text="epoch")
    figure.update_yaxes(title_text="nats")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}, bargap=0.15)
    return figure


def gap_decomposition_sentence(results: Results) -> str:
    """The parts at the last epoch."""
    parts, label = _of_the_best(results)
    if parts.empty:
        return _NOT_MEASURED
    last = parts.iloc[-1]
    told = ", ".join(f"{part} {nats(last[part], sign=True)}" for part in PARTS)
    largest = max(PARTS, key=lambda part: abs(last[part]))
    return (
        f"{label}: at epoch {int(last['epoch'])} validation loss minus running training loss is "
        f"{nats(last['difference'], sign=True)}: {told}. The largest part is {largest}."
        + (" The plain difference would hide overfitting." if last["difference"] < 0 < last["overfitting"] else "")
    )


_NOT_MEASURED = "train_mode_loss was not measured; `decompose: true` in the spec does (the default in mode study)."


def _of_the_best(results: Results) -> tuple[pd.DataFrame, str]:
    """The means over its replicates, by epoch, and what it is called; an empty table where nothing was measured."""
    table = decompose(results).merge(results.trials[[*TRIAL_KEY, "configuration_id"]], on=TRIAL_KEY)
    table = table[np.isfinite(table[list(PARTS)].to_numpy()).all(axis=1)]
    ranked = rank_configurations(results).merge(table[CONFIGURATION_KEY].drop_duplicates(), on=CONFIGURATION_KEY)
    if ranked.empty:
        return table.iloc[:0], ""
    best = ranked.iloc[0]
    own = table[(table[CONFIGURATION_KEY] == best[CONFIGURATION_KEY]).all(axis=1)]
    return replicate_mean(own, ["difference", *PARTS]), best["label"]
