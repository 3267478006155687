"""What a final choice (`sweep finalize`) showed: finalists on fresh seeds and on the test images."""

import shlex
from typing import Any

import pandas as pd

from analysis.intervals import Interval, t_interval
from analysis.results import Results, is_lost
from analysis.searched import searched
from analysis.wording import labels, nats

CONFIDENCE = 0.95


def final_scores(results: Results) -> pd.DataFrame:
    """One row a finalist, the highest mean val_acc first: the choice is made by validation, not by the test.

    Columns: configuration_id, label, n (seeds trained to their end), lost (seeds that failed or diverged; such a
    finalist comes last, one that lost all is not there), search_val_acc (best epochs, mean of the search's
    replicates), search_epochs (how many the search gave it), val_acc, test_acc, test_loss (nats), gap_loss (nats,
    val_loss - train_eval_loss), each at the epoch of the highest val_acc and a mean over the seeds with `_low` and
    `_high`; search_minus_test (search_val_acc - test_acc: the overtuning gap, of selection and of the best of many
    epochs); behind (test_acc of the first - own, paired over the seeds that both have) and pairs (how many).

    Intervals: Student's t over seeds, 95 %; those of `behind` are wider, 95 % for all of them together (Bonferroni).
    Seeds differ in split, initial weights, order and noise. Their splits overlap and the test images are the same for
    all, so what other images would change is not in the intervals, nor is the noise of what the search saw.
    Raises ValueError for a sweep that is no final choice.
    """
    note = results.manifest.get("final_round")
    if note is None or note["kind"] != "final":
        raise ValueError(
            f"{results.path}: no final choice; `sweep finalize {shlex.quote(str(results.path))}` makes one"
        )
    finalists = []
    for key, everything in results.trials.groupby("configuration_id"):
        own = everything[everything["status"] == "COMPLETED"]
        if len(own):
            finalists.append((str(key), own, int(is_lost(everything).sum())))
    finalists.sort(key=lambda each: (each[2] > 0, -each[1]["best_val_acc"].mean()))
    others = max(1, len(finalists) - 1)
    rows: list[dict[str, Any]] = []
    for key, own, lost in finalists:
        found = note["finalists"][key]
        ours, first = (each.set_index("replicate")["test_acc"] for each in (own, finalists[0][1]))
        difference = (first - ours).dropna() if rows else first.iloc[:0]
        rows.append(
            {
                "configuration_id": key,
                "label": labels(own.head(1), searched(results))[0],
                "n": len(own),
                "lost": lost,
                "search_val_acc": found["val_acc"],
                "search_epochs": found["epochs_run"],
                **_columns("val_acc", t_interval(own["best_val_acc"])),
                **_columns("test_acc", t_interval(own["test_acc"])),
                **_columns("test_loss", t_interval(own["test_loss"])),
                **_columns("gap_loss", t_interval(own["gap_at_best"])),
                **_columns("search_minus_test", t_interval(found["val_acc"] - own["test_acc"])),
                **_columns("behind", t_interval(difference, 1 - (1 - CONFIDENCE) / others)),
                "pairs": len(difference),
            }
        )
    return pd.DataFrame(rows)


def final_sentences(results: Results) -> list[str]:
    """What `final_scores` says, in plain text."""
    scores = final_scores(results)
    if scores.empty:
        return ["No finalist has been trained to its end."]
    first, others = scores.iloc[0], scores.iloc[1:]
    note = results.manifest["final_round"]
    over = first["search_minus_test"]
    cut = first["search_epochs"] < results.manifest["spec"]["epochs"]
    when = f", after {first['search_epochs']} of {results.manifest['spec']['epochs']} epochs" if cut else ""
    loss, gap = nats(first["test_loss"]), nats(first["gap_loss"], sign=True)
    lost, running = int(is_lost(results.trials).sum()), int((results.trials["status"] == "RUNNING").sum())
    return [
        f"Chosen by validation on fresh seeds (n = {first['n']}): {first['label']}. "
        f"Test accuracy {_percent(first, 'test_acc')}, test loss {loss}, gap {gap}.",
        f"The search, choosing among {note['configurations']} configurations, had it at validation accuracy "
        f"{100 * first['search_val_acc']:.1f} %{when}: {100 * abs(over):.1f} points {'above' if over > 0 else 'below'} "
        "its test accuracy.",
        *([_against_others(others)] if len(others) and others["pairs"].min() > 1 else []),
        *([f"{lost} of the final trainings failed or diverged and are left out."] if lost else []),
        *([f"{running} of them are not through: all of this may change."] if running else []),
    ]


def _against_others(others: pd.DataFrame) -> str:
    worse, better = int((others["behind_low"] > 0).sum()), int((others["behind_high"] < 0).sum())
    alike = len(others) - worse - better
    parts = [(worse, "behind it"), (better, "ahead of it"), (alike, "not to be told apart from it")]
    how = f"on the test images and paired over {others['pairs'].min()} seeds"
    if len(others) == 1:
        return f"The other finalist, {how}, is {next(where for count, where in parts if count)}."
    told = ", ".join(f"{count} {where}" for count, where in parts if count)
    return f"Of the {len(others)} other finalists, {how}: {told}."


def _columns(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _percent(row: pd.Series, name: str) -> str:
    low, high = max(0.0, 100 * row[f"{name}_low"]), min(100.0, 100 * row[f"{name}_high"])
    return f"{100 * row[name]:.1f} %" + ("" if pd.isna(low) else f" (95 % interval {low:.1f} to {high:.1f})")
