"""Gap against validation loss: does a smaller gap go with a better network?"""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import INK, MOST_NAMED, beyond_note, empty_figure, new_figure, numbers, robust_range, safe
from analysis.gap_table import gaps
from analysis.results import TRIAL_KEY, Results
from analysis.searched import searched
from analysis.wording import correlation, labels


def gap_scatter(results: Results) -> go.Figure:
    """One point a trial at its best epoch, coloured by drop rate; open where the trial did not run to its end."""
    table = _points(results)
    if len(table) < 2:
        return empty_figure("A scatter needs at least two trials with a finite gap and validation loss.")
    figure = new_figure(460, margin={"t": 40})
    names = searched(results)
    rates = table["drop_rate"]
    scale = {"cmin": float(rates.min()), "cmax": max(float(rates.max()), float(rates.min()) + 1e-9)}
    varied = rates.nunique() > 1
    for cut, name, symbol in ((False, "complete", "circle"), (True, "cut, diverged, failed or running", "circle-open")):
        part = table[(table["status"] != "COMPLETED") == cut]
        if part.empty:
            continue
        colour = {"color": numbers(part["drop_rate"]), "colorscale": "Viridis", **scale} if varied else {}
        figure.add_scatter(
            x=numbers(part["gap_loss"]),
            y=numbers(part["val_loss"]),
            mode="markers",
            marker={
                "symbol": symbol,
                "size": 9 if len(table) <= 200 else 6,
                "line": {"width": 1.6 if cut else 0},
                "colorbar": {"title": {"text": "drop rate"}, "thickness": 14, "outlinewidth": 0},
                "showscale": varied,
                **colour,
            },
            text=[safe(text) for text in labels(part, names)] if len(table) <= MOST_NAMED else "",
            customdata=[int(e) for e in part["epoch"]],
            name=name,
            hovertemplate="%{text}<br>best epoch %{customdata}: gap %{x:.3f}, val loss %{y:.3f}<extra></extra>",
            showlegend=False,
        )
        # The legend's own point: a coloured one would seem to mean its drop rate.
        key = {"symbol": symbol, "size": 9, "color": INK, "line": {"width": 1.6 if cut else 0}}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=key, name=name, showlegend=True)
    figure.add_vline(x=0, line={"color": "#6B727C", "width": 1})
    span_x, _ = robust_range(table["gap_loss"], keep_zero=True)
    span_y, _ = robust_range(table["val_loss"])
    figure.update_xaxes(title_text="gap at the best epoch (nats)", range=span_x)
    figure.update_yaxes(title_text="validation loss at the best epoch (nats)", range=span_y)
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
    return figure


def gap_scatter_sentence(results: Results) -> str:
    """Whether smaller gaps go with lower validation losses: Spearman's rank correlation over configurations that have
    complete trials, means over those: replicates are no independent points."""
    table = _points(results)
    gaps_beyond = robust_range(table["gap_loss"], keep_zero=True)[1]
    note = beyond_note(max(gaps_beyond, robust_range(table["val_loss"])[1]))
    complete = table[table["status"] == "COMPLETED"]
    # Settings that train the same network, such as drop rates without dropout, are one point.
    set_to = searched(results) or ["configuration_id"]
    whole = complete.groupby(set_to, dropna=False)[["gap_loss", "val_loss"]].mean().drop_duplicates()
    if len(whole) < 4:
        few = f"{len(whole)} configuration{' has' if len(whole) == 1 else 's have'} complete trials"
        return f"{few}, too few for a trend." + note
    if whole["gap_loss"].nunique() < 2 or whole["val_loss"].nunique() < 2:
        return "The complete trials do not differ, so there is no trend." + note
    rho = float(whole["gap_loss"].rank().corr(whole["val_loss"].rank()))
    # Fisher's z with Bonett & Wright's (2000) variance for Spearman's rho.
    error = np.sqrt((1 + rho**2 / 2) / (len(whole) - 3))
    sure = len(whole) > 4 and np.arctanh(min(abs(rho), 0.999999)) > 1.96 * error
    if not sure:
        said = "no clear relation between gap and validation loss"
    elif rho > 0:
        said = "those with a smaller gap also have the lower validation loss"
    else:
        said = "those with a smaller gap have the higher validation loss: they fit less rather than generalise more"
    of = f"Among {len(whole)} configurations with complete trials"
    return f"{of}: {said} (rank correlation {correlation(rho)})." + note


def _points(results: Results) -> pd.DataFrame:
    table = gaps(results, "best")
    extra = [c for c in results.trials.columns if c not in table.columns]
    table = table.merge(results.trials[[*TRIAL_KEY, *extra]], on=TRIAL_KEY)
    return table[np.isfinite(table["gap_loss"]) & np.isfinite(table["val_loss"])]
