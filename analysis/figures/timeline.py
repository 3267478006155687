"""When each trial ran, and how far it went."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.clock import clock_for
from analysis.figures.theme import STATUS_COLOURS, TEMPLATE, empty_figure
from analysis.results import TRIAL_KEY, Results


def trial_timeline(results: Results) -> go.Figure:
    """Left: when each trial was at work, in order of start. Right: trials by epochs run."""
    trials = results.trials
    if trials.empty:
        return empty_figure("No trial has started yet.")
    spans = _spans(results)
    clock = clock_for(spans["to"].max())
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.1, column_widths=[0.58, 0.42])
    figure.update_layout(template=TEMPLATE, height=max(300, min(520, 160 + 14 * len(trials))), margin={"t": 40})
    width = max(1.5, min(9.0, 260 / max(len(trials), 1)))
    for status, colour in STATUS_COLOURS.items():
        part = trials[trials["status"] == status]
        if part.empty:
            continue
        own = spans[spans["status"] == status]
        at_work = (own[["from", "to"]] / clock.seconds).round(3)
        x = [v for start, end in zip(at_work["from"], at_work["to"], strict=True) for v in (start, end, None)]
        y = [v for place in own["place"] for v in (place, place, None)]
        figure.add_scatter(
            x=x, y=y, mode="lines", line={"color": colour, "width": width}, name=status, legendgroup=status,
            showlegend=False, hoverinfo="skip", row=1, col=1,
        )  # fmt: skip
        counts = part["epochs_run"].fillna(0).value_counts().sort_index()
        figure.add_bar(
            x=[int(e) for e in counts.index], y=[int(n) for n in counts], width=0.85, marker={"color": colour},
            name=status, legendgroup=status, row=1, col=2,
            hovertemplate=f"{status}: %{{y}} trials ran %{{x}} epochs<extra></extra>",
        )  # fmt: skip
    most = int(trials["epochs_run"].fillna(0).max())
    figure.update_layout(barmode="stack", legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(title_text=clock.title, rangemode="tozero", col=1)
    figure.update_yaxes(title_text="trial, in order of start", range=[len(trials) + 0.5, 0.5], tickformat="d", col=1)
    figure.update_xaxes(title_text="epochs run", range=[-0.6, most + 0.6], tickformat="d", col=2)
    figure.update_yaxes(title_text="trials", tickformat="d", col=2)
    if int(trials["epochs_run"].fillna(0).value_counts().max()) <= 10:
        figure.update_yaxes(dtick=1, col=2)
    if len(trials) <= 12:
        figure.update_yaxes(dtick=1, col=1)
    if most <= 12:
        figure.update_xaxes(dtick=1, col=2)
    if spans.empty:
        figure.add_annotation(
            text="no start times are stored", showarrow=False, x=0.5, y=0.5, xref="x domain", yref="y domain"
        )
    return figure


def trial_timeline_sentence(results: Results) -> str:
    """How many trials ran all the epochs, and how many epochs cutting saved."""
    trials = results.trials
    run = trials["epochs_run"].fillna(0).astype(int)
    whole = trials["status"] == "COMPLETED"
    if not whole.any():
        return f"No trial is complete; the farthest has run {int(run.max()) if len(run) else 0} epochs."
    full = run.where(whole).groupby(trials["sweep_id"]).transform("max")  # of each sweep; NaN where none is complete
    lengths = " or ".join(f"{length:.0f}" for length in sorted(full.dropna().unique()))
    words = f"{int(whole.sum())} of {len(trials)} trials ran to the end ({lengths} epochs)."
    cut = (trials["stop_reason"] == "asha") & full.notna()
    if cut.any():
        saved, planned = int((full - run)[cut].sum()), int(full.sum())
        words += f" Cutting {int(cut.sum())} early saved {saved} of {planned} epochs ({saved / planned:.0%})."
    return words


def _spans(results: Results) -> pd.DataFrame:
    """When each trial was at work, in seconds from the first start: several spans for one that waited for others.

    A running trial is taken to be at work until the last stored time, unless that is more than two epochs after it.
    """
    trials = results.trials[results.trials["started"].notna()].sort_values("started")
    trials = trials.assign(place=range(1, len(trials) + 1))
    epochs = results.epochs.merge(trials[[*TRIAL_KEY, "place", "status"]], on=TRIAL_KEY)
    latest = pd.Series([*trials["started"], *trials["ended"], *epochs["timestamp"]]).max()
    ends = trials["ended"].fillna(latest)
    begun = epochs["timestamp"] - pd.to_timedelta(epochs["epoch_s"], "s")
    steps = pd.concat(
        [
            trials.assign(since=trials["started"], until=trials["started"]),
            epochs.assign(since=begun, until=epochs["timestamp"]),
            trials.assign(since=ends, until=ends),
        ]
    )[["place", "status", "since", "until"]].sort_values(["place", "until"], kind="stable")
    of_trial = steps.groupby("place")
    pause_s = (steps["since"] - of_trial["until"].shift()).dt.total_seconds()
    short_s = (2 * epochs.groupby("place")["epoch_s"].median()).clip(lower=1.0)
    # Before its first epoch a trial is set up: that belongs to it, however long it takes.
    waited = (pause_s > steps["place"].map(short_s).fillna(float("inf"))) & (of_trial.cumcount() > 1)
    spans = steps.groupby(["place", "status", waited.groupby(steps["place"]).cumsum()])
    zero = trials["started"].min()
    table = pd.DataFrame(
        {
            "from": (spans["since"].min() - zero).dt.total_seconds(),
            "to": (spans["until"].max() - zero).dt.total_seconds(),
        }
    ).reset_index(["place", "status"])
    return table[table["to"] > table["from"]]
