"""sweep simulate: what early stopping and search would have done on recorded curves, before anything is paid for."""

import itertools
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import track

from search_spaces.errors import SpecError
from sweep.cli.options import Json, Set
from sweep.cli.terminal import STDERR, print_json, say
from sweep.progress.wording import duration

if TYPE_CHECKING:
    from sweep.simulation.repetitions import Repetitions, Spread

# What of a study's spec a search over its curves takes over.
_KEPT = ("name", "model", "model_args", "dataset", "train_size", "epochs", "batch_size", "optimizer", "space")


def simulate(
    curves: Annotated[str, typer.Argument(metavar="CURVES", help="The folder of a finished sweep of mode study.")],
    spec: Annotated[
        str | None,
        typer.Argument(metavar="[SPEC]", help="The sweep to simulate; default: a search over the same space."),
    ] = None,
    set_: Set = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=A,B", help="Simulate each of these values, such as scheduler.reduction_factor=2,3."),
    ] = None,
    workers: Annotated[str, typer.Option(metavar="N[,N...]", help="Trials at the same time.")] = "16",
    repetitions: Annotated[int, typer.Option(min=1, help="Sweeps with other arrival orders.")] = 20,
    speed_spread: Annotated[
        float, typer.Option(min=0.0, help="Standard deviation of the logarithm of a worker's speed.")
    ] = 0.0,
    failure_rate: Annotated[
        float, typer.Option(min=0.0, max=0.99, help="Probability that an epoch is lost with its process.")
    ] = 0.0,
    start_s: Annotated[float, typer.Option(min=0.0, help="Seconds until a trial takes its first step.")] = 0.0,
    slowdown: Annotated[float, typer.Option(min=0.001, help="An epoch's time against the recorded one.")] = 1.0,
    json: Json = False,
) -> None:
    """Replay recorded curves under other schedulers, searchers and numbers of workers, on a virtual clock."""
    from sweep.simulation.recorded_curves import NOT_FELT, RecordedCurves
    from sweep.simulation.repetitions import TARGET, repeat
    from sweep.simulation.virtual_cluster import VirtualCluster
    from sweep.spec import SweepSpec

    recorded = RecordedCurves.read(curves)
    default = {key: value for key, value in recorded.spec.to_dict().items() if key in _KEPT}
    axes = [_axis(item) for item in vary or ()]
    varied_keys = [key for key, _ in axes]
    for key in varied_keys:
        if varied_keys.count(key) > 1:
            raise SpecError(f"--vary {key}: got it twice; allowed: once, with all its values (--vary {key}=A,B)")
        if key.partition(".")[0] in NOT_FELT:
            raise SpecError(
                f"--vary {key}: got it for curves that were recorded with one; allowed: what they can answer"
            )
    cases: list[dict[str, Any]] = []
    others: dict[str, None] = {}  # an ordered set
    for chosen in itertools.product(*(values for _, values in axes)):
        varied = dict(zip((key for key, _ in axes), chosen, strict=True))
        overrides = [*(set_ or ()), *(f"{key}={value}" for key, value in varied.items())]
        checked = SweepSpec.load(spec or default, overrides, elsewhere=True, stored=spec is None)
        recorded.check(checked)
        others |= dict.fromkeys(recorded.others(checked))
        cases += [{"spec": checked, "varied": {**varied, "workers": number}} for number in _numbers(workers)]
    for line in others:
        say(line)
    results = []
    for case in track(cases, "simulating", console=STDERR, transient=True):
        try:
            cluster = VirtualCluster(case["varied"]["workers"], speed_spread, failure_rate, start_s, slowdown)
        except ValueError as error:
            raise SpecError(str(error)) from None
        results.append((case["varied"], repeat(recorded, case["spec"], cluster, repetitions)))
    if json:
        print_json(
            [{**varied, **result.to_dict(), "best_recorded": recorded.best_val_acc} for varied, result in results]
        )
        return
    _print(results, recorded.best_val_acc, TARGET)


def _axis(item: str) -> tuple[str, list[str]]:
    key, equals, values = item.partition("=")
    if not equals or not key or not all(value.strip() for value in values.split(",")):
        raise SpecError(f"--vary {item}: allowed: KEY=A,B,..., for example --vary scheduler.reduction_factor=2,3,4")
    return key, values.split(",")


def _numbers(text: str) -> list[int]:
    if not all(part.strip().isdigit() and int(part) > 0 for part in text.split(",")):
        raise SpecError(f"--workers: got {text!r}; allowed: integers from 1, for example 16 or 2,16,128")
    return [int(part) for part in text.split(",")]


def _print(results: "list[tuple[dict[str, Any], Repetitions]]", best: float, target: float) -> None:
    names = list(results[0][0])
    header = [*names, "epochs", "uncut", "time", "best val_acc", "epochs to it", "reached"]
    lines = [
        [
            *(str(varied[name]) for name in names),
            _range(result.epochs, "{:.0f}"),
            str(result.full_epochs),
            duration(result.wall_s.median),
            _range(result.best_val_acc, "{:.4f}"),
            _range(result.epochs_to_target, "{:.0f}") if result.epochs_to_target else "-",
            f"{result.reached}/{result.repetitions}",
        ]
        for varied, result in results
    ]
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    for line in [header, *lines]:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    print(
        f"Medians [quartiles]. Best recorded: {best:.4f}; `epochs to it`: spent by all trials until one came within "
        f"{100 * target:g} points of it, by the mean of its recorded seeds; `uncut`: epochs without early stopping."
    )


def _range(spread: "Spread", form: str) -> str:
    return f"{form.format(spread.median)} [{form.format(spread.low)} {form.format(spread.high)}]"
