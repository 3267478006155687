"""bf16 or int16 against fp32: the same trials in both, paired by seed. What is compared is accuracy, and speed.

    python -m benchmarks.precision --dataset parquet:PATH --train-size 8000 --epochs 3 --pairs 8
    python -m benchmarks.precision --precision int16 --dataset parquet:PATH --epochs 3 --pairs 8 --augment none

In the same process, without Ray: bf16 differs in nothing but the number format of matrix products and convolutions,
int16 in the products of an MLP's first layer and in that it rounds images to 8 bits after colour jitter. A CPU without
AMX or AVX512-bf16 emulates bf16, slowly, with the same rounding; `--device cuda` does not. There fp32 is meant to the
last bit, too: convolutions do not round to TF32 as they otherwise do.
"""

import argparse
import statistics

import torch

from benchmarks.machine import machine_line
from benchmarks.pairs import in_turns, print_ratio
from cluster.environment import cache_dir
from search_spaces.space import SearchSpace
from sweep.data.dataset import ImageDataset, load_dataset
from sweep.training.host_memory import keep_freed_memory
from sweep.training.precision import Precision
from sweep.training.trial import Trial


def main() -> None:
    """Measure and print."""
    options = _options()
    torch.set_num_threads(1)
    keep_freed_memory()
    torch.backends.cudnn.allow_tf32 = False
    print(machine_line() if options.device == "cpu" else f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    dataset = load_dataset(options.dataset, cache_dir=cache_dir(), progress=print)
    for model in ("mlp",) if options.precision == "int16" else ("mlp", "cnn"):
        _compare(dataset, model, options)


def _compare(dataset: ImageDataset, model: str, options: argparse.Namespace) -> None:
    other: Precision = options.precision
    seeds = {other: iter(range(options.pairs)), "fp32": iter(range(options.pairs))}

    def trained(precision: Precision) -> tuple[float, float]:
        trial = Trial(
            dataset,
            SearchSpace({}).resolve({"lr": options.lr, "augment": options.augment}),
            model=model,
            model_args={},
            sweep_seed=next(seeds[precision]),
            replicate=0,
            train_size=options.train_size,
            device=options.device,
            precision=precision,
        )
        rows = [trial.train_epoch() for _ in range(options.epochs)]
        return rows[-1]["val_acc"], statistics.median(row["images_per_s"] for row in rows)

    pairs = in_turns(lambda: trained(other), lambda: trained("fp32"), options.pairs, f"{model}, {other} and fp32")
    differences = [100 * (ours[0] - fp32[0]) for ours, fp32 in pairs]
    spread = statistics.stdev(differences) if len(differences) > 1 else float("nan")
    print(
        f"{model}, validation accuracy after {options.epochs} epochs: "
        f"{other} - fp32 {statistics.fmean(differences):+.2f} points on average, "
        f"standard deviation of a pair {spread:.2f}, n = {len(pairs)}; "
        f"fp32 {statistics.fmean(fp32[0] for _, fp32 in pairs):.4f}"
    )
    print_ratio(f"images/s, {other} against fp32", [ours[1] for ours, _ in pairs], [f[1] for _, f in pairs], "")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="digits", help="as in a spec (default: digits)")
    parser.add_argument("--train-size", type=int, help="training images (default: all)")
    parser.add_argument("--precision", choices=("bf16", "int16"), default="bf16")
    parser.add_argument("--augment", default="crop-flip", help="as in a spec (default: crop-flip)")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=8, help="seeds")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = parser.parse_args()
    if options.precision == "int16" and options.device == "cuda":
        parser.error("--precision int16: a GPU does not have it; leave out --device cuda")
    return options


if __name__ == "__main__":
    main()
