"""The job as Ray Tune's own PyTorch tutorial does it: the side that gapsweep is measured against.

A process a trial with one CPU, PIL images through torchvision's transforms in a DataLoader, layers of `torch.nn`,
`torch.optim.Adam`, Tune's default loggers. Loading happens in the trial's own process: with both cores busy training,
loader processes would only compete with it.

`python -m benchmarks.usual_way JOB.json` runs the job and writes its figures beside it.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch
import torch.nn.functional as F
from PIL import Image
from ray import tune
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import transforms

AUGMENTATIONS: dict[str, list[Any]] = {
    "none": [],
    "crop-flip": [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()],
    "full": [
        transforms.RandomCrop(32, padding=4),
        transforms.RandomHorizontalFlip(),
        transforms.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.2, hue=0.1),
    ],
}


class Images(Dataset[Any]):
    """As torchvision's CIFAR10: all pixels in memory, an item is a PIL image through the transforms."""

    def __init__(self, pixels_NHWC: np.ndarray, labels: list[int], transform: Any) -> None:
        self.pixels_NHWC = pixels_NHWC
        self.labels = labels
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(Image.fromarray(self.pixels_NHWC[index])), self.labels[index]


def build(model: str, drop_rate: float) -> nn.Module:
    """MLP 3072-512-10 or CNN 32/64, linear or convolution, batch norm, ReLU, dropout."""
    if model == "mlp":
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(3072, 512),
            nn.BatchNorm1d(512),
            nn.ReLU(),
            nn.Dropout(drop_rate),
            nn.Linear(512, 10),
        )
    blocks: list[nn.Module] = []
    for width_in, width_out in ((3, 32), (32, 64)):
        blocks += [
            nn.Conv2d(width_in, width_out, 3, padding=1),
            nn.BatchNorm2d(width_out),
            nn.ReLU(),
            nn.Dropout(drop_rate),
            nn.MaxPool2d(2),
        ]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(64 * 8 * 8, 10))


def train(config: dict[str, Any]) -> None:
    """One trial."""
    torch.set_num_threads(1)
    to_input = [transforms.ToTensor(), transforms.Normalize(config["mean"], config["std"])]
    augmented = transforms.Compose([*AUGMENTATIONS[config["augment"]], *to_input])
    pixels_NHWC = np.load(f"{config['data']}/images.npy")
    labels = np.load(f"{config['data']}/labels.npy").tolist()
    order = np.random.default_rng(0).permutation(len(labels)).tolist()
    n_train = len(order) * 4 // 5
    train_set = Subset(Images(pixels_NHWC, labels, augmented), order[:n_train])
    val_set = Subset(Images(pixels_NHWC, labels, transforms.Compose(to_input)), order[n_train:])
    train_loader = DataLoader(train_set, batch_size=100, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=100)

    model = build(config["model"], config["drop_rate"])
    optimizer = torch.optim.Adam(model.parameters(), lr=config["lr"])
    for epoch in range(1, config["epochs"] + 1):
        model.train()
        train_loss = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * len(y)
        model.eval()
        val_loss, correct = 0.0, 0
        with torch.no_grad():
            for x, y in val_loader:
                logits = model(x)
                val_loss += F.cross_entropy(logits, y, reduction="sum").item()
                correct += int((logits.argmax(1) == y).sum())
        tune.report(
            {
                "epoch": epoch,
                "train_loss": train_loss / len(train_set),
                "val_loss": val_loss / len(val_set),
                "val_acc": correct / len(val_set),
                "ended": time.time(),
            }
        )


def main(job_path: Path) -> None:
    """A grid over lrs and drop_rates; other keys: data, mean, std, model, augment, epochs, storage, ray_temp."""
    job = json.loads(job_path.read_text())
    ray.init(address="local", include_dashboard=False, log_to_driver=False, _temp_dir=job["ray_temp"])
    tuner = tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        param_space={
            **{name: job[name] for name in ("data", "mean", "std", "model", "augment", "epochs")},
            "lr": tune.grid_search(job["lrs"]),
            "drop_rate": tune.grid_search(job["drop_rates"]),
        },
        run_config=tune.RunConfig(name="usual-way", storage_path=job["storage"], verbose=0),
    )
    frames = [result.metrics_dataframe for result in tuner.fit()]
    ray.shutdown()
    figures = {
        "epoch_ends": sorted(float(ended) for frame in frames for ended in frame["ended"]),
        "val_acc": [float(frame["val_acc"].iloc[-1]) for frame in frames],
    }
    job_path.with_suffix(".out").write_text(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
