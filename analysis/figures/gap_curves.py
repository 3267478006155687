"""The gap over epochs."""

import plotly.graph_objects as go

from analysis.figures.bands import add_bands, add_crowd
from analysis.figures.curves import curves, joined
from analysis.figures.theme import beyond_note, empty_figure, legend_below, new_figure, robust_range, safe
from analysis.gap_table import gaps
from analysis.results import Results
from analysis.wording import nats


def gap_curves(results: Results) -> go.Figure:
    """gap_loss over epochs with a zero line; the best configurations in colour, the others grey or as bands."""
    drawn = curves(results)
    if drawn.everyone.empty:
        return empty_figure("No trial has finished an epoch, so there is no gap yet.")
    figure = new_figure(400)
    if drawn.banded:
        add_bands(figure, drawn.everyone, "gap_loss", what="gap", legend=True)
    elif not drawn.crowd.empty:
        x, y = joined(drawn.crowd, "gap_loss")
        add_crowd(figure, x, y, name="other trials", legend=True)
    for name, colour, epochs in drawn.best:
        x, y = joined(epochs, "gap_loss")
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"size": 4},
            name=safe(name),
            showlegend=True,
            hovertemplate=f"{safe(name)}<br>epoch %{{x}}: gap %{{y:.3f}}<extra></extra>",
        )
    figure.add_hline(y=0, line={"color": "#6B727C", "width": 1})
    figure.update_xaxes(title_text="epoch", **({"dtick": 1} if int(drawn.everyone["epoch"].max()) == 1 else {}))
    shown, _ = robust_range(drawn.shown("gap_loss"), keep_zero=True)
    figure.update_yaxes(title_text="gap: validation − training loss (nats)", range=shown)
    legend_below(figure, len(drawn.best) + (3 if drawn.banded else int(not drawn.crowd.empty)))
    return figure


def gap_curves_sentence(results: Results) -> str:
    """Whether the gap grows between a trial's first and last epoch, counted over trials."""
    last = gaps(results, "last").set_index(["sweep_id", "trial_id"])["gap_loss"]
    first = gaps(results, "matched", 1).set_index(["sweep_id", "trial_id"])["gap_loss"]
    epochs = results.trials.set_index(["sweep_id", "trial_id"])["epochs_run"]
    change = (last - first)[(epochs > 1).fillna(False)].dropna()
    note = beyond_note(robust_range(curves(results).shown("gap_loss"), keep_zero=True)[1])
    if change.empty:
        return "No trial has two epochs yet, so nothing can be said about growth." + note
    grew = int((change > 0).sum())
    median = float(change.median())
    return (
        f"From its first to its last epoch the gap grew in {grew} of {len(change)} trials with at least two epochs "
        f"(median change {nats(median, sign=True)}); above the zero line the network does better on training images."
        + note
    )
