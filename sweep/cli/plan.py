"""sweep plan: what a sweep will take, before it starts."""

from typing import Annotated

import typer

from cluster.environment import cache_dir
from cluster.errors import PreflightError
from cluster.preflight import has_gpu
from sweep.cli.options import Json, Set, Spec
from sweep.cli.terminal import print_json, say
from sweep.progress.wording import count, duration
from sweep.simulation.plan import plan_sweep
from sweep.spec import SweepSpec
from sweep.tuning.epoch_probe import probe_seconds_per_epoch
from sweep.tuning.places import places_here


def plan(
    spec: Spec,
    set_: Set = None,
    json: Json = False,
    probe: Annotated[bool, typer.Option(help="Train for some seconds to measure the time of an epoch.")] = True,
    at_once: Annotated[
        int | None, typer.Option("--at-once", min=1, help="Trials that run at the same time; default: as fit here.")
    ] = None,
    price: Annotated[
        float | None, typer.Option(min=0.0, help="What a CPU hour costs; default: budget.price_per_cpu_hour.")
    ] = None,
) -> None:
    """Say how many configurations, rungs and epochs a sweep has, and what time it will take."""
    priced = [] if price is None else [f"budget.price_per_cpu_hour={price}"]
    checked = SweepSpec.load(spec, [*(set_ or ()), *priced])
    places = at_once or places_here(checked.resources)
    counted = plan_sweep(checked, places)
    cost = None
    if probe and checked.resources.gpus_per_trial > 0 and not has_gpu():
        say("this machine has no GPU: what an epoch takes on one, and costs, is not measured")
    elif probe:
        say("measuring an epoch (--no-probe leaves that out)")
        try:
            cost = counted.cost(probe_seconds_per_epoch(checked, cache_dir()), checked)
        except PreflightError as error:
            say(f"{error}: what an epoch takes, and costs, is not measured")
    if json:
        print_json({**counted.to_dict(), **(cost or {})})
        return
    print(f"{checked.name}: {checked.model} on {checked.dataset}, mode {checked.mode}")
    seeds = count(counted.replicates, "seed")
    print(f"  trials          {counted.trials}: {count(counted.configurations, 'configuration')} x {seeds}")
    if counted.rungs:
        print(f"  rungs           trials are compared after epochs {', '.join(map(str, counted.rungs))}")
    bounds = ("max_hours", "max_cost")  # the others are counted
    if budget := [f"{name} {value:g}" for name, value in checked.budget if name in bounds and value is not None]:
        print(f"  budget          {', '.join(budget)}: may end it earlier than is said here")
    if rules := [name for name, rule in checked.stop_rules if rule is not None]:
        print(f"  stop rules      {', '.join(rules)}: may end trials earlier than is said here")
    print(f"  epochs          {counted.expected_epochs} expected, {counted.full_epochs} if nothing is stopped early")
    if cost is not None:
        at_once = min(counted.trials_at_once, counted.trials)
        print(f"  time            about {duration(cost['wall_s'])} with {count(at_once, 'trial')} at once")
        print(f"                  ({cost['seconds_per_epoch']:.2f} s an epoch, measured here with one trial alone)")
        gpus = f", {cost['gpu_hours']:.2f} GPU hours" if cost["gpu_hours"] else ""
        money = f": {cost['cost']:{'.2f' if cost['cost'] >= 1 else '.2g'}} at the prices given" if cost["cost"] else ""
        print(f"  cost            {cost['cpu_hours']:.2f} CPU hours{gpus}{money}")
