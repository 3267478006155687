"""The function that Ray Tune runs for each trial: the one join of training and Tune.

The driver imports this file, too, to hand the function over. What needs torch is imported where it is used, in the
worker: the driver then starts seconds earlier and is 300 MB smaller.
"""

import socket
import time
import traceback
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ray import tune

from cluster.environment import cache_dir
from sweep.data.dataset import ImageDataset, load_dataset
from sweep.data.errors import DataError
from sweep.store.folder import Folder
from sweep.store.layout import checkpoint_name
from sweep.training.precision import Precision
from sweep.tuning.out_of_memory import ran_out_of_memory

# Work that a kill may cost, against the time that writing a state takes.
CHECKPOINT_INTERVAL_S = 10.0


@dataclass(frozen=True)
class TrialJob:
    """What all trials of a sweep share. Paths are absolute: Tune changes a trial's working directory.

    fingerprint: of the data set as the driver read it. saved_epochs: after which a trial may have to wait for others.
    decompose, test: whether to measure train_mode_loss, and to look at the test images.
    """

    dataset: str
    fingerprint: str
    checkpoints: Folder
    model: str
    model_args: dict[str, Any]
    sweep_seed: int
    train_size: int | None
    epochs: int
    saved_epochs: frozenset[int]
    threads: int
    gpu: bool
    precision: Precision
    decompose: bool
    test: bool


def train_trial(config: dict[str, Any], job: TrialJob) -> None:
    """Train one trial to its end, telling each epoch once it is over.

    config: trial_id, configuration, replicate, and told_epochs: how many epochs the store has already. An error of the
    trial itself is told as a result instead of raised: Tune would take it for a lost worker and start the trial again,
    which is right for what the machine is to blame for.
    """
    try:
        _train(config, job)
    except Exception as error:  # whatever the trial raised belongs into its row
        if is_of_the_machine(error):
            raise
        tune.report({"error": traceback.format_exc()})


def is_of_the_machine(error: Exception) -> bool:
    """Whether another attempt, or another machine, may well succeed: out of memory, files that cannot be read, data
    that are not there or differ (the driver has read them), or a GPU at fault, which fails whatever the same process
    tries on it afterwards."""
    import torch

    return isinstance(error, OSError | DataError | torch.AcceleratorError) or ran_out_of_memory(error)


def _train(config: dict[str, Any], job: TrialJob) -> None:
    import torch

    from sweep.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
    from sweep.training.host_memory import keep_freed_memory
    from sweep.training.trial import Trial

    torch.set_num_threads(job.threads)
    if job.gpu:
        _keep_to_its_share()
    keep_freed_memory()
    trial = Trial(
        _dataset(job.dataset, job.fingerprint),
        config["configuration"],
        model=job.model,
        model_args=job.model_args,
        sweep_seed=job.sweep_seed,
        replicate=config["replicate"],
        train_size=job.train_size,
        device="cuda" if job.gpu else "cpu",
        precision=job.precision,
        decompose=job.decompose,
        test=job.test,
    )
    checkpoint = checkpoint_name(config["trial_id"])
    try:
        load_checkpoint(trial, job.checkpoints, checkpoint)
    except CheckpointError as error:
        # Training again from the start gives the same rows; refusing would lose the trial.
        print(f"trial {config['trial_id']}: {error}; training from the start")
    # The state on disk may be ahead of the store: the driver was killed before it had written these rows.
    for row in trial.history:
        if row["epoch"] > config["told_epochs"]:
            tune.report(row)
    saved = time.monotonic()
    while trial.epoch < job.epochs and not trial.diverged:
        row = trial.train_epoch()
        # What looks at the test images should train no epoch twice: on a GPU another one could be the best then.
        if (
            (job.test and job.gpu)
            or trial.epoch in job.saved_epochs
            or time.monotonic() - saved > CHECKPOINT_INTERVAL_S
        ):
            try:
                save_checkpoint(trial, job.checkpoints, checkpoint)
            except OSError as error:
                # It would only have saved work; if the storage is ill, the driver says so.
                print(f"trial {config['trial_id']}: no checkpoint of epoch {trial.epoch} ({error})")
            saved = time.monotonic()
        tune.report(row)


def _keep_to_its_share() -> None:
    """Let this trial run out of memory where it takes more of a shared GPU than it asked for, and not its neighbour."""
    import torch

    share = tune.get_context().get_trial_resources().required_resources["GPU"]
    try:
        torch.cuda.set_per_process_memory_fraction(min(1.0, share))
    except (AssertionError, RuntimeError) as error:  # a torch without CUDA, or a driver that is too old for it
        if isinstance(error, torch.AcceleratorError):
            raise
        raise OSError(f"{socket.gethostname()}: torch cannot use its GPU ({error})") from error


@lru_cache(maxsize=1)
def _dataset(name: str, fingerprint: str) -> ImageDataset:
    """Opened once a process: with reused actors, every later trial finds it open.

    The first process of a machine prepares it in that machine's cache; the others wait for it.
    """
    dataset = load_dataset(name, cache_dir=cache_dir())
    if dataset.fingerprint != fingerprint:
        raise DataError(
            f"dataset {name}: has fingerprint {dataset.fingerprint} here, and {fingerprint} where "
            "the sweep was started; give all machines the same files"
        )
    return dataset
