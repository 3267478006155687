"""What a sweep showed: tables, gaps, figures, a report.

    import analysis
    r = analysis.load("results/cnn-regularisation-3f9a")   # r.trials, r.epochs: DataFrames
    analysis.gaps(r)                                       # one row a trial, at a matched epoch
    analysis.gaps_by(r, "layer_order")                     # by level: n, mean, 95 % interval
    analysis.compare(r, "layer_order", "val_loss")         # pair by pair: difference, interval, p, seeds needed
    analysis.factorial_model(r, "val_acc")                 # all factors at once, and whether one changes another
    analysis.diagnose(r)                                   # one row a trial: overfits since epoch ..., or what else
    analysis.decompose(r)                                  # val - train = overfitting + regularisation + averaging
    analysis.batch_norm_effects(r)                         # variance shift and lag, and what they cost
    analysis.importance(r, "gap_loss")                     # which hyper-parameters matter
    analysis.final_scores(f)                               # f: what `sweep finalize` made; test accuracies
    analysis.report(r, "report.html")                      # or report.md
    analysis.save_figures(r, "figures", "svg")             # or png, pdf

Names load when they are first used, so that `import analysis` waits for neither SciPy nor Plotly.
No module here has the name of one of these functions: importing it would hide the function.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis import figures
    from analysis.comparison import compare
    from analysis.decomposition import decompose
    from analysis.diagnosis import diagnose
    from analysis.factorial import factorial_model
    from analysis.figures.image_files import save_figures
    from analysis.final_choice import final_scores
    from analysis.gap_levels import gaps_by
    from analysis.gap_table import gaps
    from analysis.importance_table import importance
    from analysis.page.report import report
    from analysis.results import Results, load
    from analysis.running_statistics import batch_norm_effects

__all__ = [  # noqa: RUF022 - the order of use
    "Results",
    "load",
    "gaps",
    "gaps_by",
    "compare",
    "factorial_model",
    "diagnose",
    "decompose",
    "batch_norm_effects",
    "importance",
    "final_scores",
    "figures",
    "report",
    "save_figures",
]

_HOME = {
    "Results": "analysis.results",
    "batch_norm_effects": "analysis.running_statistics",
    "compare": "analysis.comparison",
    "decompose": "analysis.decomposition",
    "diagnose": "analysis.diagnosis",
    "factorial_model": "analysis.factorial",
    "final_scores": "analysis.final_choice",
    "gaps": "analysis.gap_table",
    "gaps_by": "analysis.gap_levels",
    "importance": "analysis.importance_table",
    "load": "analysis.results",
    "report": "analysis.page.report",
    "save_figures": "analysis.figures.image_files",
}


def __getattr__(name: str) -> object:
    if name == "figures":
        return import_module("analysis.figures")
    if name not in _HOME:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
