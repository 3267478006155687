"""Accuracy up, gap down: the configurations that no other one beats in both."""

import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import (
    COLOURS,
    GREY,
    MOST_NAMED,
    beyond_note,
    empty_figure,
    new_figure,
    numbers,
    robust_range,
    safe,
)
from analysis.ranking import rank_configurations
from analysis.results import CONFIGURATION_KEY, Results
from analysis.wording import nats

POINT = 0.01  # of accuracy, that some would give for a smaller gap


def pareto_front(results: Results) -> go.Figure:
    """One point a configuration, means over its replicates at their best epochs; the front as a line.

    The gaps are of different epochs, each of the one that somebody would stop at: read a difference as the price of an
    accuracy, not as an effect.
    """
    table = _points(results)
    if len(table) < 2:
        return empty_figure("A front needs two configurations that were trained to their end, or to their stop rule.")
    figure = new_figure(420, margin={"t": 40})
    for on_front, name, colour in ((False, "others", GREY), (True, "front", COLOURS[0])):
        part = table[table["on_front"] == on_front].sort_values("gap_at_best")
        figure.add_scatter(
            x=numbers(part["gap_at_best"]),
            y=numbers(part["best_val_acc"]),
            mode="lines+markers" if on_front else "markers",
            line={"shape": "hv", "width": 1.5},
            marker={"color": colour, "size": 10 if on_front else 6},
            text=[safe(label) for label in part["label"]] if on_front or len(table) <= MOST_NAMED else "",
            name=name,
            hovertemplate="%{text}<br>gap %{x:.3f}, val acc %{y:.4f}<extra></extra>",
        )
    figure.update_xaxes(title_text="gap at the best epoch (nats)", range=_span(table, "gap_at_best")[0])
    figure.update_yaxes(title_text="validation accuracy, best epoch", range=_span(table, "best_val_acc")[0])
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
    return figure


def pareto_front_sentence(results: Results) -> str:
    """How many are on the front, and how much gap one point of accuracy saves."""
    table = _points(results)
    if len(table) < 2:
        return "Too few configurations were trained to their end or to their stop rule."
    best = table.sort_values(["best_val_acc", "gap_at_best"], ascending=[False, True], kind="stable").iloc[0]
    close = table[table["best_val_acc"] > best["best_val_acc"] - POINT]
    calm = close.sort_values("gap_at_best", kind="stable").iloc[0]
    front = table["on_front"].sum()
    are = "is" if front == 1 else "are"
    said = (
        f"{front} of {len(table)} configurations {are} on the front: no other is as good in accuracy and gap, and "
        "better in one. "
    )
    if calm["gap_at_best"] < best["gap_at_best"]:
        said += (
            f"The most accurate one ({best['label']}: {best['best_val_acc']:.4f}) has a gap of "
            f"{nats(best['gap_at_best'])}; within a point of it, {calm['label']} ({calm['best_val_acc']:.4f}) has "
            f"{nats(calm['gap_at_best'])}."
        )
    else:
        said += f"The most accurate one ({best['label']}) also has the smallest gap of all within a point of it."
    return said + beyond_note(max(_span(table, name)[1] for name in ("gap_at_best", "best_val_acc")))


def _span(table: pd.DataFrame, name: str) -> tuple[list[float] | None, int]:
    """A robust range that never leaves out who comes within a point of the best, and how many it does leave out."""
    span, _ = robust_range(table[name])
    if span is None:
        return None, 0
    good = table.loc[table["best_val_acc"] > table["best_val_acc"].max() - POINT, name]
    pad = 0.05 * (max(span[1], good.max()) - min(span[0], good.min()))
    span = [min(span[0], good.min() - pad), max(span[1], good.max() + pad)]
    return span, int((~table[name].between(span[0], span[1])).sum())


def _points(results: Results) -> pd.DataFrame:
    """Configurations none of whose trials was cut short; `on_front` where none is better in both.

    A rule on a trial's own curve ends it where its user would: what ASHA cut, failed or diverged says less.
    """
    trials = results.trials
    ended = trials["status"].isin(["COMPLETED", "STOPPED"]) & ~trials["stop_reason"].isin(["asha", "diverged"])
    whole = ended.groupby([trials[key] for key in CONFIGURATION_KEY]).all()
    table = rank_configurations(results).merge(whole.rename("whole").reset_index(), on=CONFIGURATION_KEY)
    table = table[table["whole"] & table["gap_at_best"].notna()]
    # In order of gap, a configuration is on the front where its accuracy is above all before it.
    ordered = table.sort_values(["gap_at_best", "best_val_acc"], ascending=[True, False], kind="stable")
    before = ordered["best_val_acc"].cummax().shift().fillna(-1.0)
    return ordered.assign(on_front=ordered["best_val_acc"] > before)
