"""What early stopping did at each of its rungs."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import COLOURS, GREY, empty_figure, new_figure
from analysis.results import TRIAL_KEY, Results


def rung_funnel(results: Results) -> go.Figure:
    """Per rung, the trials that came to it: how many went on, were cut there, wait, and ended for another reason."""
    table = _rungs(results)
    if table.empty:
        return empty_figure(_NOTHING)
    figure = new_figure(130 + 34 * len(table), barmode="stack", margin={"t": 40})
    for column, name, colour in (
        ("on", "went on or completed", COLOURS[0]),
        ("cut", "cut by ASHA", COLOURS[4]),
        ("waits", "not gone on yet", COLOURS[2]),
        ("other", "ended otherwise", GREY),
    ):
        if column in ("waits", "other") and not table[column].any():
            continue
        figure.add_bar(
            x=[int(n) for n in table[column]],
            y=[f"epoch {epoch}" for epoch in table["epoch"]],
            orientation="h",
            name=name,
            marker={"color": colour},
            hovertemplate=f"%{{y}}: %{{x}} {name}<extra></extra>",
        )
    figure.update_xaxes(title_text="trials", tickformat="d")
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}, bargap=0.3)
    return figure


def rung_funnel_sentence(results: Results) -> str:
    """How many are left, and how clear the decision at the first rung was."""
    table = _rungs(results)
    if table.empty:
        return _NOTHING
    first, last = table.iloc[0], table.iloc[-1]
    said = (
        f"{first['cut']} of the {first['reached']} trials that came to epoch {first['epoch']} were cut there; "
        f"{last['reached']} came to epoch {last['epoch']}."
    )
    there = results.epochs[results.epochs["epoch"] == first["epoch"]].merge(results.trials[_TOLD], on=TRIAL_KEY)
    there = there[~((there["status"] == "RUNNING") & (there["epochs_run"] == first["epoch"]))]
    there = there[np.isfinite(there["val_loss"])]
    accuracy = there["val_acc"].groupby(_is_cut(there, int(first["epoch"]))).median()
    if len(accuracy) == 2:
        said += (
            f" At epoch {first['epoch']} the cut ones stood at {accuracy[True]:.3f} in the median, the others at "
            f"{accuracy[False]:.3f}."
        )
    return said


_NOTHING = "ASHA cut no trial, so there are no rungs to show."
_TOLD = [*TRIAL_KEY, "epochs_run", "stop_reason", "status"]


def _is_cut(trials: pd.DataFrame, epoch: int) -> pd.Series:
    return ((trials["stop_reason"] == "asha") & (trials["epochs_run"] == epoch)).fillna(False).astype(bool)


def _rungs(results: Results) -> pd.DataFrame:
    """One row per epoch at which ASHA cut, and the last: epoch, reached, on, cut, waits, other."""
    trials = results.trials[_TOLD]
    run = trials["epochs_run"].fillna(0).to_numpy(int)
    asha = (trials["stop_reason"] == "asha").fillna(False).to_numpy(bool)
    if not asha.any():
        return pd.DataFrame()
    running = trials["status"].eq("RUNNING").to_numpy()
    over = ~trials["status"].isin(["RUNNING", "COMPLETED"]).to_numpy()
    rows = []
    for epoch in sorted({*run[asha].tolist(), int(run.max())}):
        reached = run >= epoch
        cut, other = _is_cut(trials, epoch).to_numpy(), (run == epoch) & ~asha & over
        counts = [int(part.sum()) for part in (cut, (run == epoch) & running, other)]
        rows.append((epoch, int(reached.sum()), int(reached.sum()) - sum(counts), *counts))
    return pd.DataFrame(rows, columns=["epoch", "reached", "on", "cut", "waits", "other"])
