"""Which hyper-parameters matter for the accuracy, and which for the gap."""

from functools import lru_cache

import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import COLOURS, INK, empty_figure, new_figure, numbers, safe
from analysis.gap_table import matched_epoch
from analysis.importance_table import FEWEST, importance
from analysis.results import Results

MEASURES = {"val_acc": "validation accuracy", "gap_loss": "gap"}
LEARNT = 0.3  # R² below which the forest's shares say little


def importances(results: Results) -> go.Figure:
    """Per hyper-parameter the share of the variance (bars) and PED-ANOVA (diamonds), of the accuracy and of the gap."""
    tables = _tables(results)
    if any(table.empty for table in tables.values()):
        return empty_figure(_TOO_FEW)
    order = tables["val_acc"]["hyperparameter"].tolist()
    figure = new_figure(150 + 34 * len(order), margin={"t": 48})
    for place, (value, name) in enumerate(MEASURES.items()):
        table = tables[value].set_index("hyperparameter").reindex(order)
        axis = {"xaxis": "x2" if place else "x", "y": [safe(each) for each in order], "showlegend": place == 0}
        figure.add_bar(
            **axis,
            x=numbers(table["permutation"]),
            orientation="h",
            name="share of the variance (permutation)",
            marker={"color": COLOURS[0]},
            error_x={"type": "data", "array": numbers(table["permutation_sd"]), "color": INK, "thickness": 1.2},
            hovertemplate="%{y}: %{x:.2f}<extra></extra>",
        )
        figure.add_scatter(
            **axis,
            x=numbers(table["ped_anova"]),
            mode="markers",
            name="sets the best tenth apart (PED-ANOVA)",
            marker={"symbol": "diamond", "size": 10, "color": COLOURS[1]},
            hovertemplate="%{y}: %{x:.2f}<extra></extra>",
        )
        figure.update_layout(
            {f"xaxis{2 if place else ''}": {"title": {"text": f"{name}, R² {_r2(table['r2'].iloc[0])}"}}},
        )
    figure.update_layout(
        xaxis_domain=[0, 0.48],
        xaxis2={"domain": [0.52, 1], "anchor": "y"},
        yaxis={"autorange": "reversed"},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    )
    return figure


def importances_sentence(results: Results) -> str:
    """The first of each, whether both methods name it, and whether the forest has learnt anything."""
    told = []
    for value, name in MEASURES.items():
        table = _tables(results)[value]
        if table.empty:
            return _TOO_FEW
        first, r2, n = table.iloc[0], float(table["r2"].iloc[0]), int(table["n"].iloc[0])
        if r2 < LEARNT:
            told.append(f"The {name} of unseen configurations cannot be foretold (R² {_r2(r2)}, n = {n}).")
            continue
        other = table.nlargest(1, "ped_anova").iloc[0]["hyperparameter"]
        agree = "PED-ANOVA agrees" if other == first["hyperparameter"] else f"PED-ANOVA puts {other} first"
        told.append(
            f"For the {name} {first['hyperparameter']} matters most: {100 * first['permutation']:.0f} % of the "
            f"variance goes through it (R² {_r2(r2)} on unseen configurations, n = {n}); {agree}."
        )
    return f"At epoch {matched_epoch(results)}: {' '.join(told)}"


@lru_cache(maxsize=1)  # seconds, for the figure and for its sentence
def _tables(results: Results) -> dict[str, pd.DataFrame]:
    return {value: importance(results, value) for value in MEASURES}


def _r2(r2: float) -> str:
    return f"{r2:.2f}".replace("-", "−")


_TOO_FEW = f"Fewer than {FEWEST} configurations reached a common epoch, or they are all alike there: nothing to weigh."
