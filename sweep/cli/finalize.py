"""sweep finalize: the best configurations again on fresh seeds, and on the test images."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from sweep.cli.jobs import is_job_server, plain
from sweep.cli.options import DriverAddress, Json, SetWithoutBearing, SweepDir
from sweep.cli.run import submitted, told, watched
from sweep.cli.terminal import print_json, print_table, say, shown
from sweep.progress.wording import count

if TYPE_CHECKING:
    import pandas as pd


def finalize(
    sweep_dir: SweepDir,
    top: Annotated[
        int | None, typer.Option(help="Configurations that are measured on the test images; default: 3.")
    ] = None,
    replicates: Annotated[int, typer.Option(help="Fresh seeds on which each of these is trained.")] = 5,
    candidates: Annotated[
        int | None, typer.Option(help="Configurations in the first round; default: three times --top.")
    ] = None,
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Also from a sweep that has work left.")] = False,
    set_: SetWithoutBearing = None,
    address: DriverAddress = None,
    json: Json = False,
) -> None:
    """Choose for good: train the best configurations on fresh seeds and measure the last ones on the test images."""
    if address is not None and is_job_server(address):
        given = {"--top": top, "--replicates": replicates, "--candidates": candidates}
        numbers = {name: [str(value)] for name, value in given.items() if value is not None}
        options = plain({**numbers, "--set": set_ or []}) + ["--unfinished"] * unfinished
        submitted("finalize", sweep_dir, options, address, json)
        return

    from sweep.tuning.finalize import finalize as finalize_sweep

    result = watched(
        lambda watch: finalize_sweep(
            sweep_dir,
            top=top,
            replicates=replicates,
            candidates=candidates,
            unfinished=unfinished,
            overrides=set_ or (),
            address=address,
            watch=watch,
        )
    )
    import analysis
    from analysis.final_choice import final_sentences

    results = analysis.load(result.path)
    failed, state = result.statuses["FAILED"], result.state
    todo = f"sweep retry {shown(result.path)} --failed, then " if failed else ""
    if state != "COMPLETED" or results.manifest["final_round"]["kind"] != "final":
        more = f", with more of what is used up ({result.budget}) by --set" if result.budget else ""
        next_step = f"the choice has not come to its end; go on: {todo}the same command again{more}"
        if json:
            say(next_step)
        told(result, json, next_step)

    scores = analysis.final_scores(results)
    if json:
        finalists = scores.astype(object).where(scores.notna(), None).to_dict("records")
        print_json({"path": str(result.path), "finalists": finalists})
    else:
        _print_scores(scores)
        print(*final_sentences(results), sep="\n")
        print(f"files: {shown(result.path)}")
        print(f"next:  sweep report {shown(result.path)}")
    if failed:
        say(f"{count(failed, 'training')} failed: {todo}the same command again shows theirs, too")
    raise typer.Exit(result.exit_code)


def _print_scores(scores: "pd.DataFrame") -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("finalist")
    for name in ("found at", "fresh val_acc", "test_acc", "test behind first"):
        table.add_column(name, no_wrap=True)
    for place, row in enumerate(scores.to_dict("records"), 1):
        table.add_row(
            f"{place}. {row['label']}",
            f"{row['search_val_acc']:.4f}",
            _plus_minus(row, "val_acc"),
            _plus_minus(row, "test_acc"),
            _plus_minus(row, "behind") if row["pairs"] else "",
        )
    print_table(table)


def _plus_minus(row: dict[Hashable, Any], name: str) -> str:
    """Mean and half of its 95 % interval; the mean alone where one seed leaves no interval."""
    half = (row[f"{name}_high"] - row[f"{name}_low"]) / 2
    return f"{row[name]:.4f}" + (f" ±{half:.4f}" if half == half else "")
