"""What the report's tables hold; how they are written is the page's matter."""

from dataclasses import dataclass

import pandas as pd

from analysis.diagnosis import diagnose, verdict_words
from analysis.figures.forest import differences
from analysis.gap_levels import gaps_by
from analysis.gap_table import gaps, matched_epoch
from analysis.intervals import t_interval
from analysis.ranking import rank_configurations
from analysis.results import CONFIGURATION_KEY, TRIAL_KEY, Results
from analysis.searched import searched
from analysis.wording import last_line, p_number, short

BEST = 15
MOST_TRIALS = 1000
DERIVED = ("has_bn", "has_dropout", "bn_before_dropout", "bn_before_relu", "relu_before_dropout", "linear_first")


@dataclass(frozen=True)
class Column:
    """A table's column. kind: text, long (of a traceback, its last line), percent, loss, p, count, number, seconds."""

    name: str
    title: str
    kind: str = "number"

    @property
    def is_text(self) -> bool:
        return self.kind in ("text", "long")

    def shown(self, value: object) -> str:
        """The value as a reader sees it, not escaped; a dash where it is missing."""
        if is_missing(value):
            return "–"
        if self.kind == "text":
            return str(value)
        if self.kind == "long":
            text = last_line(str(value))
            return text if len(text) <= 160 else text[:159] + "…"
        number = float(value)  # type: ignore[arg-type]
        return {
            "percent": f"{100 * number:.1f} %",
            "loss": f"{number:.3f}".replace("-", "−"),
            "p": p_number(number),
            "count": f"{number:.0f}",
            "seconds": f"{number:.1f}",
        }.get(self.kind) or short(number)


@dataclass(frozen=True)
class Table:
    """rows: may have more columns than are shown. words: what stands below, or instead of a table without rows."""

    rows: pd.DataFrame
    columns: list[Column]
    words: str = ""


INTERVAL = (Column("low", "95 % from", "loss"), Column("high", "to", "loss"))


def is_missing(value: object) -> bool:
    return value is None or value is pd.NA or value != value


def best_configurations(results: Results) -> Table:
    """The fifteen configurations with the highest validation accuracy, means over their replicates."""
    ranked = rank_configurations(results)
    if ranked.empty:
        return Table(ranked, [], "No trial has a finite validation accuracy yet.")
    epoch = matched_epoch(results)
    shown = ranked.head(BEST)
    at_matched = gaps(results).groupby(CONFIGURATION_KEY)["gap_loss"].mean().rename("gap_at_matched").reset_index()
    shown = shown.merge(at_matched, on=CONFIGURATION_KEY, how="left")
    verdicts = diagnose(results, by="configuration")
    verdicts["verdict"] = [verdict_words(row) for row in verdicts.to_dict("records")]
    shown = shown.merge(verdicts[[*CONFIGURATION_KEY, "verdict"]], on=CONFIGURATION_KEY, how="left")
    names = searched(results)
    firsts = results.trials.drop_duplicates(CONFIGURATION_KEY)[[*CONFIGURATION_KEY, *names]]
    shown = shown.merge(firsts, on=CONFIGURATION_KEY, how="left")
    best = gaps(results, "best").groupby(CONFIGURATION_KEY)["val_acc"].agg(t_interval)
    shown["half"] = [
        (i := best.loc[key]).high - i.mean for key in zip(*(shown[c] for c in CONFIGURATION_KEY), strict=True)
    ]
    columns = [
        Column("rank", "rank", "count"),
        *(_hyperparameter(results, name) for name in names),
        Column("n", "n", "count"),
        Column("best_val_acc", "val acc at best", "percent"),
        *([Column("half", "± 95 %", "percent")] if int(shown["n"].max()) > 1 else []),
        Column("best_val_loss", "val loss at best", "loss"),
        Column("gap_at_best", "gap at best", "loss"),
        *([Column("gap_at_matched", f"gap at epoch {epoch}", "loss")] if epoch else []),
        Column("best_epoch", "best epoch", "count"),
        Column("verdict", "verdict", "text"),
    ]
    words = f"The best {len(shown)} of {len(ranked)} configurations. n counts replicates; losses and gaps in nats."
    words += " The verdict is on the mean curve of its replicates; in parentheses, where the turn may as well be."
    return Table(shown, columns, words)


def setting_differences(results: Results) -> Table:
    """The levels of each factor against its first one, where all others were held equal."""
    rows = differences(results)
    if rows.empty:
        return Table(rows, [])
    columns = [
        Column("label", "setting", "text"),
        Column("measure", "in", "text"),
        Column("difference", "difference (nats)", "loss"),
        *INTERVAL,
        Column("p_holm", "p (Holm)", "p"),
        Column("n", "n", "count"),
    ]
    return Table(rows, columns, "n counts replicates, over which the differences are paired.")


def factor_levels(results: Results) -> Table:
    """The gap at the matched epoch by level of each searched factor and, where it varies, each derived one."""
    varied = [n for n in (*searched(results), *DERIVED) if results.trials[n].nunique() > 1]
    if matched_epoch(results) is None or not varied:
        return Table(pd.DataFrame(), [])
    tables = [gaps_by(results, name).assign(factor=name) for name in varied]
    columns = [
        Column("factor", "factor", "text"),
        Column("level", "level", "text"),
        Column("mean", "mean gap (nats)", "loss"),
        *INTERVAL,
        Column("n", "n", "count"),
        Column("unit", "n counts", "text"),
        Column("trials", "trials", "count"),
        Column("note", "", "text"),
    ]
    words = (
        "n counts replicates where every level met the same other settings. Else it counts configurations: the others "
        "were not held equal, and a difference between levels may be theirs."
    )
    return Table(pd.concat(tables, ignore_index=True), columns, words)


def all_trials(results: Results) -> Table:
    """Every trial; of more than 1,000 the most accurate."""
    best = gaps(results, "best")[[*TRIAL_KEY, "epoch", "val_acc", "val_loss", "gap_loss"]]
    matched = gaps(results)[[*TRIAL_KEY, "gap_loss"]].rename(columns={"gap_loss": "gap_at_matched"})
    own = ["replicate", "status", "stop_reason", "epochs_run", "seconds", "attempts", "error"]
    names = searched(results)
    rows = results.trials[[*TRIAL_KEY, *own, *names]].merge(best, on=TRIAL_KEY).merge(matched, on=TRIAL_KEY)
    words = ""
    if len(rows) > MOST_TRIALS:
        words = f"The most accurate {MOST_TRIALS} of {len(rows)}; all are in trials.parquet."
        rows = rows.sort_values("val_acc", ascending=False, kind="stable").head(MOST_TRIALS)
    epoch = matched_epoch(results)
    columns = [
        *([Column("sweep_id", "sweep", "text")] if len(results.paths) > 1 else []),
        Column("trial_id", "trial", "text"),
        *(_hyperparameter(results, name) for name in names),
        *([Column("replicate", "replicate", "count")] if results.trials["replicate"].nunique() > 1 else []),
        Column("status", "status", "text"),
        *([Column("stop_reason", "stopped by", "text")] if rows["stop_reason"].notna().any() else []),
        Column("epochs_run", "epochs", "count"),
        Column("epoch", "best epoch", "count"),
        Column("val_acc", "val acc at best", "percent"),
        Column("val_loss", "val loss at best", "loss"),
        Column("gap_loss", "gap at best", "loss"),
        *([Column("gap_at_matched", f"gap at epoch {epoch}", "loss")] if epoch else []),
        Column("seconds", "seconds", "seconds"),
        *([Column("attempts", "attempts", "count")] if (rows["attempts"] > 1).any() else []),
        *([Column("error", "error", "long")] if rows["error"].notna().any() else []),
    ]
    return Table(rows, columns, words)


def _hyperparameter(results: Results, name: str) -> Column:
    numeric = pd.api.types.is_numeric_dtype(results.trials[name])
    return Column(name, name, "number" if numeric else "text")
