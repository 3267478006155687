"""Loading results into pandas: two Parquet files against the folders that stock Ray Tune leaves behind.

The rows are made up, with the names and types of real ones; nothing is trained. Tune's folders come from a real run
with its default loggers, read as its documentation does: `Tuner.restore(...).get_results()`, then every trial's
`metrics_dataframe`. Ours go through the real ledger, writer and compaction. Every reading is a process of its own that
imports first; what was written lies in the page cache on both sides. `python -m benchmarks.load`
"""

import argparse
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_line
from benchmarks.pairs import Spread, in_turns, print_ratio
from benchmarks.sides import scratch_folder, start, wait_for

SPACE = {
    "lr": {"loguniform": [1e-4, 1e-1]},
    "drop_rate": {"uniform": [0.0, 0.6]},
    "layer_order": {"permutations": "lbrd"},
}
READINGS = {"pandas.read_parquet, both files": "read_s", "analysis.load": "load_s"}


def made_up_row(rng: random.Random, epoch: int) -> dict[str, Any]:
    """What a trial tells of an epoch."""
    floats = (
        "train_loss train_acc train_eval_loss train_eval_acc val_loss val_acc gap_loss gap_acc lr epoch_s images_per_s"
    )
    return {"epoch": epoch, "step": 400 * epoch, **{name: rng.random() for name in floats.split()}}


def write_ours(folder: Path, trials: int, epochs: int) -> None:
    """A sweep's folder with that many trials, each trained to its end."""
    from cluster.environment import cache_dir
    from search_spaces.identity import configuration_id, trial_id
    from sweep.data.dataset import load_dataset
    from sweep.spec import SweepSpec
    from sweep.store.folder import LocalFolder
    from sweep.store.manifest import write_manifest
    from sweep.store.writer import StoreWriter
    from sweep.tuning.ledger import Ledger
    from sweep.tuning.listed_proposer import sample_configurations
    from sweep.tuning.manifest_content import manifest_content
    from sweep.tuning.trial_record import TrialRecord

    spec = SweepSpec.load({"name": "made-up", "model": "mlp", "dataset": "digits", "epochs": epochs, "space": SPACE})
    folder.mkdir()
    sweep = LocalFolder(folder)
    write_manifest(sweep, manifest_content(folder.name, spec, load_dataset("digits", cache_dir=cache_dir())))
    writer = StoreWriter(sweep)
    ledger = Ledger(writer, folder.name, spec)
    rng = random.Random(0)
    for values in sample_configurations(spec.search_space, trials, 0):
        key = trial_id("mlp", spec.model_args, values, 0)
        ledger.plan(TrialRecord(key, values, configuration_id("mlp", spec.model_args, values), 0))
        ledger.start(key)
        for epoch in range(1, epochs + 1):
            ledger.add_epoch(key, made_up_row(rng, epoch), node="made-up")
        ledger.end(key, "COMPLETED")
        ledger.flush_if_due()
    writer.compact()
    writer.close()


def read_ours(folder: Path) -> dict[str, float]:
    """Seconds for the two files with pandas alone, and for `analysis.load`; rows of the two tables."""
    began = time.perf_counter()
    import pandas as pd
    import pyarrow.dataset  # noqa: F401 (pandas imports it with the first file)

    import analysis.results

    imported = time.perf_counter()
    epochs = pd.read_parquet(folder / "epochs.parquet")
    trials = pd.read_parquet(folder / "trials.parquet")
    read = time.perf_counter()
    loaded = analysis.results.load(folder)
    ended = time.perf_counter()
    if (len(loaded.epochs), len(loaded.trials)) != (len(epochs), len(trials)):
        raise SystemExit(f"{folder}: analysis.load gives {len(loaded.epochs)} epochs, pandas {len(epochs)}")
    return {
        "import_s": imported - began,
        "read_s": read - imported,
        "load_s": ended - read,
        "rows": len(epochs),
        "trials": len(trials),
    }


def made_up_trial(config: dict[str, Any]) -> None:
    """A Ray Tune trial that trains nothing."""
    from ray import tune

    rng = random.Random(config["number"])
    for epoch in range(1, config["epochs"] + 1):
        tune.report(made_up_row(rng, epoch))


def write_stock(folder: Path, trials: int, epochs: int) -> None:
    """A run of stock Ray Tune, named `folder`."""
    import ray
    from ray import tune

    ray.init(address="local", include_dashboard=False, log_to_driver=False, _temp_dir=str(folder.parent / "ray"))
    tune.Tuner(
        tune.with_resources(made_up_trial, {"cpu": 1}),
        param_space={
            "number": tune.grid_search(list(range(trials))),
            "epochs": epochs,
            "lr": tune.loguniform(1e-4, 1e-1),
            "drop_rate": tune.uniform(0.0, 0.6),
            "layer_order": tune.choice(["lbrd", "lrbd", "lbdr"]),
        },
        tune_config=tune.TuneConfig(reuse_actors=True),
        run_config=tune.RunConfig(name=folder.name, storage_path=str(folder.parent), verbose=0),
    ).fit()
    ray.shutdown()


def read_stock(folder: Path) -> dict[str, float]:
    """Seconds until all of a Ray Tune run's results are one DataFrame; its rows and trials."""
    began = time.perf_counter()
    import pandas as pd
    from ray import tune

    imported = time.perf_counter()
    results = tune.Tuner.restore(str(folder), trainable=made_up_trial).get_results()
    rows = pd.concat([result.metrics_dataframe for result in results], ignore_index=True)
    ended = time.perf_counter()
    return {"import_s": imported - began, "read_s": ended - imported, "rows": len(rows), "trials": len(results)}


def step(function: str, folder: Path, *numbers: int) -> subprocess.Popen[bytes]:
    """Start one of the functions above in a process of its own, which prints what it returns as JSON."""
    call = f"json.dumps(load.{function}(Path({str(folder)!r}), *{numbers}))"
    imports = "import json; from pathlib import Path; from benchmarks import load"
    return start([sys.executable, "-c", f"{imports}; print({call})"], folder.parent)


def read(function: str, folder: Path) -> dict[str, float]:
    """What a reading returned."""
    wait_for(step(function, folder), folder.parent)
    figures: dict[str, float] = json.loads((folder.parent / "stdout.txt").read_text().splitlines()[-1])
    return figures


def make_stock(folder: Path, trials: int, epochs: int) -> None:
    """`write_stock`, telling every half minute how far it is: a thousand trials take minutes."""
    process = step("write_stock", folder, trials, epochs)
    began = told = time.monotonic()
    while process.poll() is None:
        time.sleep(0.2)
        if time.monotonic() - told > 30:
            told = time.monotonic()
            started = len(list(folder.glob("*/result.json")))
            print(f"stock Ray Tune: {started} of {trials} trials started after {told - began:.0f} s", flush=True)
    wait_for(process, folder.parent)
    print(f"stock Ray Tune: {trials} trials in {time.monotonic() - began:.0f} s", flush=True)


def main() -> None:
    """Write all three folders, read them in turns, print."""
    parser = argparse.ArgumentParser(description="Loading results into pandas, against stock Ray Tune's folders.")
    parser.add_argument("--stock-trials", type=int, default=1000, help="trials of the comparison (minutes to write)")
    parser.add_argument("--trials", type=int, default=10_000, help="trials of ours alone")
    parser.add_argument("--epochs", type=int, default=30, help="of every trial")
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    print(machine_line())
    with scratch_folder() as scratch:
        stock, ours, large = scratch / "stock", scratch / "ours", scratch / "large"
        make_stock(stock, given.stock_trials, given.epochs)
        for folder, trials in ((ours, given.stock_trials), (large, given.trials)):
            began = time.monotonic()
            wait_for(step("write_ours", folder, trials, given.epochs), scratch)
            print(f"ours: {trials} trials written and compacted in {time.monotonic() - began:.0f} s", flush=True)

        name = f"{given.stock_trials} trials x {given.epochs} epochs"
        pairs = in_turns(lambda: read("read_ours", ours), lambda: read("read_stock", stock), given.pairs, name)
        for sizes in [(side["trials"], side["rows"]) for pair in pairs for side in pair]:
            if sizes != (given.stock_trials, given.stock_trials * given.epochs):
                raise SystemExit(f"{name}: a side gave {sizes[0]} trials and {sizes[1]} rows")
        stock_s = [theirs["read_s"] for _, theirs in pairs]
        for what, key in READINGS.items():
            print_ratio(what, [ours[key] for ours, _ in pairs], stock_s, "s")
            print(f"  {what} is {Spread.of([theirs['read_s'] / ours[key] for ours, theirs in pairs])} times as fast")
        import_s = [[side["import_s"] for side in sides] for sides in zip(*pairs, strict=True)]
        print_ratio("imports before that", import_s[0], import_s[1], "s")

        print(f"{given.trials} trials x {given.epochs} epochs, ours alone", flush=True)
        alone = [read("read_ours", large) for _ in range(given.pairs)]
        if any(figures["rows"] != given.trials * given.epochs for figures in alone):
            raise SystemExit(f"{large}: not {given.trials * given.epochs} rows")
        for what, key in READINGS.items():
            print(f"  {what:<34} {Spread.of([figures[key] for figures in alone])} s")


if __name__ == "__main__":
    main()
