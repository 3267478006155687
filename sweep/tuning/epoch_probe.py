"""How long an epoch takes here, measured before a sweep starts."""

import random
import time
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from cluster.errors import PreflightError
from search_spaces.domains import Value
from sweep.spec import SweepSpec
from sweep.tuning.number_format import number_format

if TYPE_CHECKING:
    from sweep.data.dataset import ImageDataset

PROBE_IMAGES = 1000
# Augmentation and dropout alone can double an epoch, so one configuration says little.
PROBED = 5
ENOUGH_S = 10.0


def probe_seconds_per_epoch(spec: SweepSpec, cache_dir: Path) -> float:
    """Seconds that one epoch of one trial takes here: the mean of five configurations drawn from the space.

    Takes seconds, and if they were never used here the decoding of the data set and the compilation of loops. Where the
    next ones have taken ten seconds, the others are left out.
    """
    import torch

    from sweep.data.dataset import load_dataset
    from sweep.training.host_memory import keep_freed_memory

    keep_freed_memory()
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, int(spec.resources.cpus_per_trial)))
    try:
        dataset = load_dataset(spec.dataset, cache_dir=cache_dir)
        first, *others = _some_configurations(spec)
        seconds = [_epoch_s(spec, dataset, first)]
        began = time.monotonic()
        for configuration in others:
            if time.monotonic() - began > ENOUGH_S:
                break
            seconds.append(_epoch_s(spec, dataset, configuration))
    finally:
        torch.set_num_threads(threads)
    return fmean(seconds)


def _epoch_s(spec: SweepSpec, dataset: "ImageDataset", configuration: dict[str, Value]) -> float:
    """Of two short epochs the second, scaled to all images."""
    import torch

    from sweep.data.split import split_indices
    from sweep.training.trial import Trial

    on_gpu = spec.resources.gpus_per_trial > 0
    if on_gpu and not torch.cuda.is_available():
        raise PreflightError(
            "torch cannot use the GPU of this machine: its driver is missing or too old, or it is not CUDA's"
        )
    device: Literal["cpu", "cuda"] = "cuda" if on_gpu else "cpu"
    full = split_indices(len(dataset.train_images), seed=0, train_size=spec.train_size)
    # The first epoch is to have all that a GPU does once in it: the steps before the recording of one, and that itself.
    wanted = max(PROBE_IMAGES, 8 * int(configuration["batch_size"])) if on_gpu else PROBE_IMAGES
    trained = min(wanted, len(full.train))
    trial = Trial(
        dataset,
        configuration,
        model=spec.model,
        model_args=spec.model_args,
        sweep_seed=spec.search.seed,
        replicate=0,
        train_size=trained,
        device=device,
        decompose=spec.decompose,
        precision=number_format(spec),
    )
    trial.train_epoch()
    row = trial.train_epoch()
    on_train, on_val = trial.evaluation_passes
    probed = split_indices(len(dataset.train_images), seed=0, train_size=trained)
    evaluated = on_train * len(probed.train_eval) + on_val * len(probed.val)
    evaluated_per_s = evaluated / (row["epoch_s"] - trained / row["images_per_s"])
    evaluated = on_train * len(full.train_eval) + on_val * len(full.val)
    return len(full.train) / row["images_per_s"] + evaluated / evaluated_per_s


def _some_configurations(spec: SweepSpec) -> list[dict[str, Any]]:
    rng = random.Random(spec.search.seed)
    if spec.configurations is not None:
        listed = spec.every_configuration()
        return rng.sample(listed, min(PROBED, len(listed)))
    space = spec.search_space
    return [space.sample(rng) for _ in range(PROBED if space.searched else 1)]
