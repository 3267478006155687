"""How long an epoch takes here, measured before a sweep starts."""

import random
from pathlib import Path
from typing import Any, Literal

from sweep.spec import SweepSpec

PROBE_IMAGES = 1000


def probe_seconds_per_epoch(spec: SweepSpec, cache_dir: Path) -> float:
    """Seconds that one epoch of one trial takes here: one configuration drawn from the space trains two short epochs.

    The second one counts. Takes seconds, and the decoding of the data set if it was never used here.
    """
    import torch

    from sweep.data.dataset import load_dataset
    from sweep.data.split import split_indices
    from sweep.training.host_memory import keep_freed_memory
    from sweep.training.precision import resolve_precision
    from sweep.training.trial import Trial

    device: Literal["cpu", "cuda"] = (
        "cuda" if spec.resources.gpus_per_trial > 0 and torch.cuda.is_available() else "cpu"
    )
    keep_freed_memory()
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, int(spec.resources.cpus_per_trial)))
    try:
        dataset = load_dataset(spec.dataset, cache_dir=cache_dir)
        full = split_indices(len(dataset.train_images), seed=0, train_size=spec.train_size)
        trial = Trial(
            dataset,
            _some_configuration(spec),
            model=spec.model,
            model_args=spec.model_args,
            sweep_seed=spec.search.seed,
            replicate=0,
            train_size=min(PROBE_IMAGES, len(full.train)),
            device=device,
            decompose=spec.decompose,
            precision=resolve_precision(spec.precision, device),
        )
        trial.train_epoch()
        row = trial.train_epoch()
    finally:
        torch.set_num_threads(threads)
    trained = min(PROBE_IMAGES, len(full.train))
    trained_s = trained / row["images_per_s"]
    # The probe evaluates its own training images and the whole validation part.
    evaluated_per_s = (trained + len(full.val)) / (row["epoch_s"] - trained_s)
    return len(full.train) / row["images_per_s"] + (len(full.train_eval) + len(full.val)) / evaluated_per_s


def _some_configuration(spec: SweepSpec) -> dict[str, Any]:
    if spec.configurations is not None:
        return spec.every_configuration()[0]
    return spec.search_space.sample(random.Random(spec.search.seed))
