"""sweep compare: whether the settings of one hyper-parameter differ."""

from collections.abc import Hashable
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from sweep.cli.options import Json, SweepDir
from sweep.cli.terminal import print_json, print_table, say


class _At(StrEnum):
    MATCHED, BEST, LAST = "matched", "best", "last"


def compare(
    sweep_dir: SweepDir,
    factor: Annotated[str, typer.Argument(help="A hyper-parameter, or a derived column such as bn_before_dropout.")],
    value: Annotated[
        str,
        typer.Option(
            help="val_loss, val_acc, train_eval_loss, train_eval_acc, gap_loss, gap_acc; difference, regularisation, "
            "averaging; with --at matched also worst_shift, shift_cost, lag_cost, roughness, roughness_without_lag."
        ),
    ] = "val_loss",
    at: Annotated[_At, typer.Option(help="The same epoch for all, or each trial's best or last one.")] = _At.MATCHED,
    epoch: Annotated[
        int | None, typer.Option(help="Which one with --at matched; default: the last that all have.")
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="Compare with this level only.")] = None,
    relevant: Annotated[
        float | None, typer.Option(help="The smallest difference that matters; default: 0.005 of accuracy, 0.02 nats.")
    ] = None,
    json: Json = False,
) -> None:
    """Compare the levels of one factor, pair by pair: difference, 95 % interval, p, and how many seeds would tell."""
    import analysis
    from analysis.gap_levels import ALSO
    from analysis.gap_table import MEASURES, matched_epoch

    results = analysis.load(sweep_dir)
    if at == _At.MATCHED and epoch is None:
        epoch = matched_epoch(results)
    try:
        measured = analysis.gaps_by(results, factor, at.value, epoch, value)
        if not measured["n"].any():
            where = f"at epoch {epoch}" if epoch else f"at its {at.value} epoch"
            measured_anyway = (*MEASURES, "difference", "roughness")
            needs = "" if value in measured_anyway else "; `decompose: true` in the spec measures what it needs"
            raise ValueError(f"compare: no trial has a finite {value} {where}{needs}")
        table = analysis.compare(results, factor, value, at.value, epoch, baseline=baseline, relevant=relevant)
    except ValueError as error:
        say(f"error: {error}")
        raise typer.Exit(2) from None
    known = table.replace(float("inf"), float("nan"))
    rows = known.astype(object).where(known.notna(), None).to_dict("records")
    if json:
        print_json({"factor": factor, "value": value, "at": at.value, "epoch": epoch, "pairs": rows})
        return
    if not rows:
        print(f"{factor} has one level with values here, so there is nothing to compare")
        return
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in (factor, f"{value}, a − b", "95 % interval", "p (Holm)", "n", "verdict"):
        shown.add_column(name, no_wrap=True)
    for row in rows:
        shown.add_row(*_cells(row))
    print_table(shown)
    when = f"epoch {epoch}" if at == _At.MATCHED else f"each trial's {at.value} epoch"
    print(f"{value} at {when}; n counts {rows[0]['unit']}" + ("" if rows[0]["unit"] == "replicates" else _ASSOCIATION))
    notes = [(row["level"], part) for row in measured.to_dict("records") for part in row["note"].split("; ")]
    for level, part in notes:
        if part.endswith("left out"):
            print(f"{level}: {part}")
    for part in dict.fromkeys(part for _, part in notes if part.startswith(ALSO)):
        print(f"{part}: what is measured may be the effect of these")
    cut = int(results.trials["censored"].sum())
    if at != _At.MATCHED and cut:
        print(f"{cut} of {len(results.trials)} curves end early, and are compared at other epochs: see --at matched")


_ASSOCIATION = ": the other hyper-parameters were not held equal, so a difference is an association, not an effect"


def _cells(row: dict[Hashable, Any]) -> list[str]:
    from analysis.wording import p_number

    interval = "" if row["low"] is None else f"{row['low']:+.4f} to {row['high']:+.4f}"
    p = "" if row["p_holm"] is None else p_number(row["p_holm"])
    verdict = {"a higher": f"{row['a']} higher", "b higher": f"{row['b']} higher"}.get(row["verdict"], row["verdict"])
    difference = "" if row["difference"] is None else f"{row['difference']:+.4f}"
    return [f"{row['a']} − {row['b']}", difference, interval, p, str(row["n"]), verdict]
