"""Parallel coordinates: searched hyper-parameters, validation accuracy, gap."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import empty_figure, new_figure, numbers, robust_range, safe
from analysis.gap_table import gaps
from analysis.results import Results
from analysis.searched import is_log, searched
from analysis.wording import short


def parallel_coordinates(results: Results) -> go.Figure:
    """One line a trial at its best epoch, coloured by accuracy; drag along an axis to keep a range."""
    table, names = _lines(results)
    if len(table) < 2 or not names:
        return empty_figure("Parallel coordinates need at least two trials with different hyper-parameters.")
    dimensions = [_dimension(results, table[name], name) for name in names]
    percent = ".0%" if np.ptp(table["val_acc"]) > 0.1 else ".1%"
    dimensions.append({"label": "best val_acc", "values": numbers(table["val_acc"]), "tickformat": percent})
    gap = table["gap_loss"]
    # An exploded gap would press all others together; it is drawn at the end of the axis.
    span, _ = robust_range(gap)
    gap = gap if span is None else gap.clip(*span)
    dimensions.append({"label": "gap at best (nats)", "values": numbers(gap), "tickformat": ".2f"})
    most = max((len(d.get("tickvals", ())) for d in dimensions), default=0)
    figure = new_figure(max(440, 130 + 18 * most), margin={"l": 90, "r": 70, "t": 70, "b": 30})
    figure.add_parcoords(
        dimensions=dimensions,
        line={
            "color": numbers(table["val_acc"]),
            "colorscale": "Viridis",
            "showscale": True,
            "colorbar": {"title": {"text": "val_acc"}, "tickformat": percent, "thickness": 14, "outlinewidth": 0},
        },
        labelfont={"size": 13},
        tickfont={"size": 11},
        rangefont={"size": 1, "color": "rgba(0,0,0,0)"},
        labelangle=-15 if len(dimensions) > 7 else 0,
        labelside="top",
    )
    return figure


def parallel_coordinates_sentence(results: Results) -> str:
    """Where the best tenth of the trials lies on the axis that narrows it down most."""
    table, names = _lines(results)
    if len(table) < 10 or not names:
        return "With few trials read single lines: bright ones are accurate. Drag along an axis to keep a range."
    top = table.nlargest(max(3, len(table) // 10), "val_acc")
    told = []
    for name in names:
        # How many of all trials lie where the best ones do: the fewer, the more that says.
        if pd.api.types.is_numeric_dtype(table[name]):
            ends = top[name].min(), top[name].max()
            low, high = (short(float(end)) for end in ends)
            share = table[name].between(*ends).mean()
            told.append((share, f"{name} {low}" if low == high else f"{name} between {low} and {high}"))
        else:
            kinds = sorted(set(top[name].astype(str)))
            share = table[name].astype(str).isin(kinds).mean()
            said = " or ".join(map(short, kinds)) if len(kinds) <= 4 else f"({len(kinds)} of its values)"
            told.append((share, f"{name} {said}"))
    share, said = min(told)
    if share > 0.75:
        return f"The best {len(top)} trials spread over nearly the whole of every axis: no single one decides."
    return f"The best {len(top)} of {len(table)} trials agree most in {said}. Drag along an axis to keep a range."


def _lines(results: Results) -> tuple[pd.DataFrame, list[str]]:
    table = gaps(results, "best")
    names = [name for name in searched(results) if table[name].nunique() > 1]
    return table[np.isfinite(table["gap_loss"]) & table["val_acc"].notna()].reset_index(drop=True), names


def _dimension(results: Results, column: pd.Series, name: str) -> dict[str, Any]:
    if not pd.api.types.is_numeric_dtype(column):
        kinds = sorted(column.dropna().unique())
        codes = {kind: place for place, kind in enumerate(kinds)}
        return {
            "label": name,
            "values": [codes.get(v) for v in column],
            "tickvals": list(range(len(kinds))),
            "ticktext": [safe(short(kind)) for kind in kinds],
        }
    values = column.astype(float)
    few = sorted(values.dropna().unique())
    if not is_log(results, name):
        exact = {"tickvals": numbers(few), "ticktext": [short(float(v)) for v in few]} if len(few) <= 6 else {}
        return {"label": name, "values": numbers(values), **exact}
    ticks = few if len(few) <= 6 else log_ticks(float(values.min()), float(values.max()))
    return {
        "label": f"{name} (log)",
        "values": numbers(np.log10(values)),
        "tickvals": numbers(np.log10(ticks)),
        "ticktext": [short(float(v)) for v in ticks],
    }


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten within the range; only powers of ten if that is enough."""
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0)):
        ticks = [m * 10.0**e for e in exponents for m in steps if low <= m * 10.0**e <= high]
        if len(ticks) >= 3:
            return ticks
    return [low, high]
