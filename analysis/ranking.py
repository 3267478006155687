"""Which configurations come first."""

import pandas as pd

from analysis.gap_table import gaps
from analysis.results import CONFIGURATION_KEY, Results, is_lost
from analysis.searched import searched
from analysis.wording import labels


def rank_configurations(results: Results) -> pd.DataFrame:
    """One row a configuration, best first: by the mean over its replicates of val_acc at their best epochs.

    Behind all others: those of which a replicate failed or diverged, whose mean is over the lucky ones.
    Columns: sweep_id, configuration_id, n (replicates with an accuracy), best_val_acc, best_val_loss, gap_at_best
    (means), best_epoch (median), lost (whether it is one of those behind), rank (from 1), label (plain text).
    Configurations without an accuracy are left out.
    """
    table = gaps(results, "best")
    table = table[table["val_acc"].notna()]
    ranked = table.groupby(CONFIGURATION_KEY, sort=False).agg(
        n=("val_acc", "size"),
        best_val_acc=("val_acc", "mean"),
        best_val_loss=("val_loss", "mean"),
        gap_at_best=("gap_loss", "mean"),
        best_epoch=("epoch", "median"),
    )
    trials = results.trials
    lost = is_lost(trials).groupby([trials[key] for key in CONFIGURATION_KEY]).any().reindex(ranked.index)
    ranked = ranked.assign(lost=lost).sort_values(["lost", "best_val_acc"], ascending=[True, False], kind="stable")
    ranked = ranked.reset_index().assign(rank=range(1, len(ranked) + 1))
    firsts = results.trials.drop_duplicates(CONFIGURATION_KEY)
    named = firsts[CONFIGURATION_KEY].assign(label=labels(firsts, searched(results)))
    return ranked.merge(named, on=CONFIGURATION_KEY, how="left")
