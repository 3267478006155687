"""Ray Tune's ASHAScheduler with OptunaSearch, as its tutorials put them together, training with our engine.

    python -m benchmarks.stock_search JOB.json

JOB: dataset, model_args, train_size, epochs, trials, seed, cache, storage, ray_temp. Writes beside it, as JOB.out, when
(unix seconds) each epoch of any trial ended and its val_acc.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import ray
import torch
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from search_spaces.space import SearchSpace
from sweep.data.dataset import load_dataset
from sweep.training.host_memory import keep_freed_memory
from sweep.training.trial import Trial


def train(config: dict[str, Any], job: dict[str, Any]) -> None:
    """One trial."""
    torch.set_num_threads(1)
    keep_freed_memory()
    trial = Trial(
        load_dataset(job["dataset"], cache_dir=Path(job["cache"])),
        SearchSpace.parse({}).resolve(config),
        model="mlp",
        model_args=job["model_args"],
        sweep_seed=job["seed"],
        replicate=0,
        train_size=job["train_size"],
        precision=job["precision"],
    )
    while trial.epoch < job["epochs"]:
        row = trial.train_epoch()
        tune.report({"epoch": row["epoch"], "val_acc": row["val_acc"], "ended": time.time()})


def main(job_path: Path) -> None:
    """Run the search of a job file."""
    job = json.loads(job_path.read_text())
    ray.init(address="local", include_dashboard=False, log_to_driver=False, _temp_dir=job["ray_temp"])
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(train, job=job), {"cpu": 1}),
        param_space={
            "lr": tune.loguniform(1e-4, 1e-1),
            "drop_rate": tune.uniform(0.0, 0.8),
            "momentum": tune.uniform(0.03, 0.3),
            "layer_order": tune.choice(["lbrd", "ldbr"]),
            "augment": tune.choice(["none", "crop-flip"]),
        },
        tune_config=tune.TuneConfig(
            metric="val_acc",
            mode="max",
            num_samples=job["trials"],
            search_alg=OptunaSearch(seed=job["seed"]),
            scheduler=ASHAScheduler(time_attr="epoch", max_t=job["epochs"]),
            max_concurrent_trials=2,
            reuse_actors=True,  # importing torch costs seconds a process
        ),
        run_config=tune.RunConfig(name="stock-search", storage_path=job["storage"], verbose=0),
    )
    frames = [result.metrics_dataframe for result in tuner.fit()]
    ray.shutdown()
    told = sorted(
        (float(ended), float(val_acc))
        for frame in frames
        for ended, val_acc in zip(frame["ended"], frame["val_acc"], strict=True)
    )
    job_path.with_suffix(".out").write_text(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
