"""The figures: one function a file, each takes Results and returns a plotly Figure.

Beside each stands its `..._sentence(results)`: what to see in it, computed from the data. A figure without anything
to show holds a line that says why, and `layout.meta["empty"]` with the same text.
"""

from analysis.figures.best_so_far import best_so_far, best_so_far_sentence
from analysis.figures.configuration_gaps import configuration_gaps, configuration_gaps_sentence
from analysis.figures.forest import forest, forest_sentence
from analysis.figures.gap_curves import gap_curves, gap_curves_sentence
from analysis.figures.gap_decomposition import gap_decomposition, gap_decomposition_sentence
from analysis.figures.gap_scatter import gap_scatter, gap_scatter_sentence
from analysis.figures.importance import importances, importances_sentence
from analysis.figures.learning_curves import learning_curves, learning_curves_sentence
from analysis.figures.order_heatmap import order_heatmap, order_heatmap_sentence
from analysis.figures.parallel import parallel_coordinates, parallel_coordinates_sentence
from analysis.figures.pareto_front import pareto_front, pareto_front_sentence
from analysis.figures.rung_funnel import rung_funnel, rung_funnel_sentence
from analysis.figures.slices import slices, slices_sentence
from analysis.figures.timeline import trial_timeline, trial_timeline_sentence
from analysis.figures.variance_shift import variance_shift, variance_shift_sentence

__all__ = [
    "ALL",
    "best_so_far",
    "best_so_far_sentence",
    "configuration_gaps",
    "configuration_gaps_sentence",
    "forest",
    "forest_sentence",
    "gap_curves",
    "gap_curves_sentence",
    "gap_decomposition",
    "gap_decomposition_sentence",
    "gap_scatter",
    "gap_scatter_sentence",
    "importances",
    "importances_sentence",
    "learning_curves",
    "learning_curves_sentence",
    "order_heatmap",
    "order_heatmap_sentence",
    "parallel_coordinates",
    "parallel_coordinates_sentence",
    "pareto_front",
    "pareto_front_sentence",
    "rung_funnel",
    "rung_funnel_sentence",
    "slices",
    "slices_sentence",
    "trial_timeline",
    "trial_timeline_sentence",
    "variance_shift",
    "variance_shift_sentence",
]

# In the order of the report: title, figure, sentence.
ALL = (
    ("Learning curves", learning_curves, learning_curves_sentence),
    ("Gap over epochs", gap_curves, gap_curves_sentence),
    ("What the usual difference is made of", gap_decomposition, gap_decomposition_sentence),
    ("What batch norm's statistics cost", variance_shift, variance_shift_sentence),
    ("Differences between settings", forest, forest_sentence),
    ("What matters", importances, importances_sentence),
    ("Layer orders", order_heatmap, order_heatmap_sentence),
    ("Gap per configuration", configuration_gaps, configuration_gaps_sentence),
    ("Gap against validation loss", gap_scatter, gap_scatter_sentence),
    ("Accuracy against gap", pareto_front, pareto_front_sentence),
    ("One hyper-parameter at a time", slices, slices_sentence),
    ("Parallel coordinates", parallel_coordinates, parallel_coordinates_sentence),
    ("Best so far", best_so_far, best_so_far_sentence),
    ("What early stopping did", rung_funnel, rung_funnel_sentence),
    ("Trials over time", trial_timeline, trial_timeline_sentence),
)
