"""Learning curves: validation solid, training in evaluation mode dashed, running training dotted."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.figures.bands import add_bands, add_crowd
from analysis.figures.curves import Curves, curves, joined, replicate_mean
from analysis.figures.theme import TEMPLATE, beyond_note, empty_figure, legend_below, robust_range, safe
from analysis.results import Results
from analysis.wording import nats

LINES = (
    ("val", "solid", "validation"),
    ("train_eval", "dash", "training, evaluation mode"),
    ("train", "dot", "training, running mean"),
)
SYMBOLS = {"val": "circle", "train_eval": "circle-open", "train": "x-thin-open"}


def learning_curves(results: Results) -> go.Figure:
    """Loss (left) and accuracy (right) over epochs; one colour a configuration, the mean of its replicates.

    The best configurations are in colour; the others are grey validation curves up to 30 trials, quantile bands above.
    """
    drawn = curves(results)
    if drawn.everyone.empty:
        return empty_figure("No trial has finished an epoch, so there are no curves yet.")
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.09)
    figure.update_layout(template=TEMPLATE, height=460, margin={"t": 44})
    for column, measure in ((1, "loss"), (2, "acc")):
        left = column == 1
        if drawn.banded:
            add_bands(figure, drawn.everyone, f"val_{measure}", what="validation", legend=left, row=1, col=column)
        elif not drawn.crowd.empty:
            x, y = joined(drawn.crowd, f"val_{measure}")
            add_crowd(figure, x, y, name="other trials, validation", legend=left, row=1, col=column)
        for name, colour, epochs in drawn.best:
            # One epoch makes no line; markers on a longer one would hide its dashes.
            mean = replicate_mean(epochs, [f"{prefix}_{measure}" for prefix, _, _ in LINES])
            single = len(mean) == 1
            for prefix, dash, said in LINES:
                x, y = joined(mean, f"{prefix}_{measure}")
                value = "%{y:.3f}" if left else "%{y:.1%}"
                figure.add_scatter(
                    x=x,
                    y=y,
                    mode="markers" if single else "lines",
                    line={"color": colour, "dash": dash, "width": 2 if prefix == "val" else 1.3},
                    marker={"color": colour, "size": 7, "symbol": SYMBOLS[prefix]},
                    name=safe(name),
                    legendgroup=name[:3],
                    showlegend=left and prefix == "val",
                    hovertemplate=f"{safe(name)}<br>{said}<br>epoch %{{x}}: {value}<extra></extra>",
                    row=1,
                    col=column,
                )
    _line_key(figure)
    whole = {"rangemode": "tozero"} if int(drawn.everyone["epoch"].max()) > 1 else {"dtick": 1}
    figure.update_xaxes(title_text="epoch", **whole)
    figure.update_yaxes(title_text="loss (nats)", range=_loss_range(drawn)[0], col=1)
    figure.update_yaxes(title_text="accuracy", tickformat=".0%", col=2)
    legend_below(figure, len(drawn.best) + (3 if drawn.banded else int(not drawn.crowd.empty)))
    return figure


def learning_curves_sentence(results: Results) -> str:
    """How the best configuration's three losses stand at the last epoch of its mean curve, and what the axis leaves
    out."""
    drawn = curves(results)
    if not drawn.best:
        return ""
    name, _, epochs = drawn.best[0]
    columns = [f"{prefix}_loss" for prefix, _, _ in LINES]
    mean = replicate_mean(epochs, columns)
    finite = mean[np.isfinite(mean[columns]).all(axis=1)]
    if finite.empty:
        return beyond_note(_loss_range(drawn)[1]).strip()
    last = finite.iloc[-1]
    val, clean, running = (float(last[column]) for column in columns)
    order = "above" if running > clean else "below"
    at = f"At epoch {int(last['epoch'])} the best configuration ({name[3:].strip()})"
    return (
        f"{at} has a validation loss of {nats(val)} and a training loss of {nats(clean)} in evaluation mode; the "
        f"running training loss that is usually plotted, {nats(running)}, lies {order} the latter."
        + beyond_note(_loss_range(drawn)[1])
    )


def _loss_range(drawn: Curves) -> tuple[list[float] | None, int]:
    return robust_range(drawn.shown("val_loss", "train_eval_loss", "train_loss"))


def _line_key(figure: go.Figure) -> None:
    """A second legend above the plots: what the dashes mean, in no configuration's colour."""
    for _, dash, said in LINES:
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="lines",
            line={"color": "#4A4F57", "dash": dash},
            name=said,
            legend="legend2",
            hoverinfo="skip",
        )
    figure.update_layout(legend2={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 12}})
