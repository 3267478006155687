"""How far batch norm's running statistics are from what it meets, what that costs, and whether it ranks the orders."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.stats import kendalltau

from analysis.comparison import ALPHA
from analysis.figures.label_places import label_places
from analysis.figures.theme import COLOURS, GREY, INK, empty_figure, new_figure, numbers, safe
from analysis.gap_table import matched_epoch
from analysis.results import TRIAL_KEY, Results
from analysis.running_statistics import batch_norm_effects, roughness_by_lag
from analysis.searched import searched
from analysis.wording import correlation, labels, nats, p_value, short

MOST_ROWS = 30
NO_SHIFT = 0.02  # on the log scale; batches alone differ by as much
MOST_NAMED = 24  # points with their names beside them: all layer orders
LONGEST_NAME = 30  # characters that find room there
WIDE_TICKS = [digit * 10.0**exponent for exponent in range(-4, 5) for digit in (1, 2, 5)]
COSTS = {"shift_cost": "variance shift", "lag_cost": "lag"}


def variance_shift(results: Results) -> go.Figure:
    """Left, validation loss against the worst layer's shift; right, what shift and lag cost, a row per layer order."""
    table = shift_table(results)
    if table.empty:
        return empty_figure(_NOT_MEASURED)
    shown = table.head(MOST_ROWS)
    figure = new_figure(max(360, 120 + 20 * len(shown)), barmode="relative", margin={"t": 40})
    names = [safe(name) for name in shown["name"]]
    figure.add_scatter(
        x=numbers(shown["shift"]),
        y=numbers(shown["val_loss"]),
        mode="markers+text" if len(shown) <= MOST_NAMED and max(map(len, names)) <= LONGEST_NAME else "markers",
        text=names,
        textposition=label_places(
            list(np.log(shown["shift"])), list(shown["val_loss"]), names, (360, figure.layout.height - 100)
        ),
        textfont={"size": 11},
        marker={"size": 9, "color": INK},
        hovertemplate="%{text}<br>shift %{x:.3g}, validation loss %{y:.3f}<extra></extra>",
        showlegend=False,
        cliponaxis=False,
    )
    for colour, (column, name) in zip((COLOURS[1], COLOURS[0]), COSTS.items(), strict=True):
        figure.add_bar(
            x=numbers(shown[column]),
            y=list(range(len(shown))),
            xaxis="x2",
            yaxis="y2",
            orientation="h",
            name=name,
            marker={"color": colour, "line": {"width": 0}},
            text=names,
            textposition="none",
            hovertemplate=f"%{{text}}<br>{name} costs %{{x:+.3f}} nats<extra></extra>",
        )
    figure.add_vline(x=1, line={"color": GREY, "width": 1})
    figure.update_layout(
        xaxis={
            "type": "log",
            "domain": [0, 0.42],
            "title": {"text": "variance met / running variance, worst layer"},
            "tickformat": "~g",  # without it, 0.2 to 0.9 are labelled 2 to 9
            # Where there is room for some of these only, plotly would let 0.8, 0.9 and 1 touch.
            "tickvals": WIDE_TICKS if shown["shift"].max() > 4 * shown["shift"].min() else None,
        },
        yaxis={"title": {"text": "validation loss"}},
        xaxis2={"domain": [0.58, 1], "title": {"text": "cost in validation loss (nats)"}, "anchor": "y2"},
        yaxis2={
            "anchor": "x2",
            "tickvals": list(range(len(shown))),
            "ticktext": names,
            "range": [len(shown) - 0.4, -0.6],
            "tickfont": {"size": 11},
        },
        legend={"orientation": "h", "x": 0.58, "y": 1.02, "yanchor": "bottom"},
        bargap=0.25,
    )
    return figure


def variance_shift_sentence(results: Results) -> str:
    """The largest shift, its cost, whether shifts rank the orders as losses do, and what the lag does to roughness."""
    table = shift_table(results)
    if table.empty:
        return _NOT_MEASURED
    worst = table.nlargest(1, "distance").iloc[0]
    at = f"At epoch {matched_epoch(results)}"
    if worst["distance"] < NO_SHIFT:
        lagging = table.nlargest(1, "lag_cost").iloc[0]
        told = [
            f"{at} no batch norm meets another variance than it normalises by, within {100 * NO_SHIFT:.0f} %. Lag "
            f"costs {nats(lagging['lag_cost'], sign=True)} of validation loss at most ({lagging['name']})."
        ]
    else:
        told = [
            f"{at} the largest shift is that of {worst['name']}: a batch norm meets "
            f"{short(float(worst['shift']))} times the variance it normalises by. Statistics gathered "
            f"without dropout would change its validation loss by {nats(-worst['shift_cost'], sign=True)}, "
            f"without lag by {nats(-worst['lag_cost'], sign=True)}."
        ]
        # Two orders of the same network, such as those of `d` and `r` side by side, are one point.
        different = table.drop_duplicates(["distance", "val_loss"])
        if len(different) > 2:
            tau = kendalltau(different["distance"], different["val_loss"])
            sure = tau.pvalue < ALPHA
            how = "the other way round than" if sure and tau.statistic < 0 else "as"
            told.append(
                f"{'The' if sure else 'It is not certain that the'} {len(different)} {table.attrs['what']} that differ "
                f"rank by the distance of their shift from 1 {how} by validation loss (Kendall's tau "
                f"{correlation(tau.statistic)}, {p_value(tau.pvalue)})."
            )
    share = roughness_by_lag(batch_norm_effects(results))
    if np.isfinite(share):
        told.append(
            f"Lag makes {100 * share:.0f} % of the variance that roughens the validation curves."
            if share > 0
            else "The validation curves are no smoother with statistics gathered anew: their roughness is not lag."
        )
    if len(table) > MOST_ROWS:
        told.append(f"The {MOST_ROWS} of {len(table)} with the lowest loss are drawn.")
    return " ".join(told)


def shift_table(results: Results) -> pd.DataFrame:
    """Means over the trials of each layer order (of each configuration, where there is one order), lowest loss first.

    Columns: name, n, shift (geometric mean over trials of the worst layer's), distance (mean |log shift|), val_loss,
    shift_cost, lag_cost.
    """
    table = batch_norm_effects(results).dropna(subset=["worst_shift", "val_loss", "shift_cost", "lag_cost"])
    table = table[np.isfinite(table["val_loss"])]
    if table.empty:
        return table
    log_shift = np.log(table["worst_shift"])
    table = table.assign(log_shift=log_shift, distance=log_shift.abs())
    by_order = "layer_order" in table and table["layer_order"].nunique() > 1
    if by_order:
        names = table["layer_order"]
    else:
        words = labels(results.trials, searched(results))
        named = results.trials[TRIAL_KEY].assign(name=words)
        names = table[TRIAL_KEY].merge(named, on=TRIAL_KEY, how="left")["name"].set_axis(table.index)
    grouped = table.assign(name=names).groupby("name")
    means = grouped[["log_shift", "distance", "val_loss", *COSTS]].mean().assign(n=grouped.size())
    means["shift"] = np.exp(means.pop("log_shift"))
    ranked = means.sort_values("val_loss").reset_index()
    ranked.attrs["what"] = "layer orders" if by_order else "configurations"
    return ranked


_NOT_MEASURED = (
    "Batch norm's statistics were not measured; `decompose: true` in the spec does (the default in mode study), for "
    "layer orders with batch norm."
)
