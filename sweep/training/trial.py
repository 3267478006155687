"""One trial: a configuration trained epoch by epoch, and the three losses it is judged by.

Shapes: N training images, M test images, B of a batch, C channels, H height, W width, K classes.
"""

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from search_spaces.augment_presets import STRENGTHS
from sweep.data.augmentation import Augmentation
from sweep.data.dataset import ImageDataset
from sweep.data.split import split_indices
from sweep.models import build_model
from sweep.models.mlp import MLP
from sweep.training.captured_step import CapturedStep
from sweep.training.divergence import not_finite
from sweep.training.evaluation import evaluate
from sweep.training.image_batches import ImageBatches
from sweep.training.noise import Noise
from sweep.training.optimizer import build_optimizer
from sweep.training.precision import Precision, computing_in
from sweep.training.running_statistics import (
    InputVariance,
    batch_norms,
    drops_before_a_batch_norm,
    gathered_anew,
    observed_inputs,
    variance_shift,
)
from sweep.training.seeds import Purpose, seed_for
from sweep.training.step import Step


class Trial:
    """A network in training. Equal arguments give equal numbers: bitwise on one CPU type with one thread, on a GPU
    within 1 % of a loss, since it adds up the gradients of convolutions and pools in any order.

    `history` holds one dict per finished epoch, with the names of the `epochs` table.
    """

    def __init__(
        self,
        dataset: ImageDataset,
        configuration: dict[str, Any],
        *,
        model: str,
        model_args: dict[str, Any],
        sweep_seed: int,
        replicate: int,
        train_size: int | None = None,
        device: str = "cpu",
        precision: Precision = "fp32",
        decompose: bool = False,
        test: bool = False,
    ) -> None:
        """configuration: the canonical one, with every hyper-parameter. decompose: measure what explains the losses,
        too. test: look at the test images, too, at each epoch whose val_acc is the best so far.
        Raises ValueError for what cannot be built.
        """
        self.configuration = configuration
        self.device = torch.device(device)
        self.epoch = 0
        self.step = 0
        self.history: list[dict[str, Any]] = []
        self._sweep_seed = sweep_seed
        self._replicate = replicate
        self._precision = precision
        self._decompose = decompose

        split = split_indices(len(dataset.train_images), seed=self._seed("split"), train_size=train_size)
        self._train_N = self._to_device(split.train)
        self._train_eval_N = self._to_device(split.train_eval)
        self._val_N = self._to_device(split.val)
        normalised = partial(ImageBatches, mean=dataset.mean, std=dataset.std, device=self.device)
        self._images = normalised(dataset.train_images, dataset.train_labels)
        self._test_images = normalised(*dataset.test()) if test else None
        self._augmentation = Augmentation(**{name: configuration[name] for name in STRENGTHS})
        self._order_generator = torch.Generator()  # on the CPU: the order of batches is the same on every device
        self._augment_generator = torch.Generator(self.device)
        self._dropout_noise = Noise(self.device)

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed("init"))
            network = build_model(
                model,
                image_shape=tuple(dataset.train_images.shape[1:]),
                num_classes=dataset.num_classes,
                layer_order=configuration["layer_order"],
                drop_rate=configuration["drop_rate"],
                momentum=configuration["momentum"],
                eps=configuration["eps"],
                noise=self._dropout_noise,
                **model_args,
            )
        self.model = network.to(self.device)
        self.optimizer = build_optimizer(
            configuration["optimizer"],
            self.model,
            lr=configuration["lr"],
            weight_decay=configuration["weight_decay"],
            sgd_momentum=configuration["sgd_momentum"],
        )
        if precision == "int16" and self.device.type == "cpu" and isinstance(self.model, MLP):
            as_pixels = self.model.take_pixels(*self._images.pixel_scale)
            for images in filter(None, (self._images, self._test_images)):
                images.as_pixels = as_pixels
        self._step = Step(
            self.model, self.optimizer, self._images, self._augmentation, self._augment_generator, precision
        )
        self._take_step = self._on_the_device()

    def train_epoch(self) -> dict[str, Any]:
        """Train one epoch, evaluate, and return its row: the metrics of the `epochs` table, without ids."""
        started = time.perf_counter()
        train_loss, train_acc, images_seen = self._train_one_pass()
        trained_s = time.perf_counter() - started
        with computing_in(self._precision, self.device):
            with observed_inputs(batch_norms(self.model) if self._decompose else []) as observed:
                train_eval_loss, train_eval_acc = evaluate(self.model, self._images, self._train_eval_N)
            val_loss, val_acc = evaluate(self.model, self._images, self._val_N)
            apart = self._explained(observed) if self._decompose else {}
            test = self._tested() if val_acc > self._best_val_acc() and math.isfinite(val_loss) else {}
        row = {
            "epoch": self.epoch,
            "step": self.step,
            "train_loss": train_loss,
            "train_acc": train_acc,
            "train_eval_loss": train_eval_loss,
            "train_eval_acc": train_eval_acc,
            "val_loss": val_loss,
            "val_acc": val_acc,
            "gap_loss": val_loss - train_eval_loss,
            "gap_acc": train_eval_acc - val_acc,
            **apart,
            **test,
            "lr": self.configuration["lr"],
            "epoch_s": time.perf_counter() - started,
            "images_per_s": images_seen / trained_s,
        }
        self.history.append(row)
        return row

    @property
    def evaluation_passes(self) -> tuple[int, int]:
        """How often an epoch goes through the images of train_eval_loss, and through those of val_loss."""
        if not self._decompose:
            return 1, 1
        again = bool(batch_norms(self.model)), drops_before_a_batch_norm(self.model)
        return 2 + again[1], 1 + sum(again)

    @property
    def diverged(self) -> bool:
        """Whether the last epoch gave a loss that is not finite."""
        return bool(self.history) and not_finite(self.history[-1]) is not None

    def state_dict(self) -> dict[str, Any]:
        """Everything `load_state_dict` needs to go on; tensors and plain values only."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "history": self.history,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken; the following epochs are as if training had never stopped."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch = state["epoch"]
        self.step = state["step"]
        self.history = list(state["history"])
        self._take_step = self._on_the_device()  # a recorded step would go on with the optimiser's old state

    def _on_the_device(self) -> Callable[[Tensor], None]:
        """The step, on a GPU as a recording; what reads a value back cannot be recorded and comes before it."""
        step, noise = self._step, self._dropout_noise.generator
        if self.device.type == "cpu":
            return step
        if not self._augmentation.reads_back:
            return CapturedStep(step, [noise, self._augment_generator])
        recorded = CapturedStep(step.train_on, [noise])
        return lambda index_B: recorded(*step.augmented(index_B))

    def _train_one_pass(self) -> tuple[float, float, int]:
        """One pass over the training images: mean loss and accuracy while the weights move, and images seen."""
        self.epoch += 1
        self._step.loss_sum.zero_()
        self._step.correct.zero_()
        images_seen = 0
        batches = self._batches_of_epoch()
        # All at once: between steps, which empty the caches, hashing takes ten times as long.
        purposes: list[Purpose] = ["dropout"] if self._augmentation.is_identity else ["dropout", "augment"]
        seeds = [[self._seed(purpose, self.epoch, n) for purpose in purposes] for n in range(len(batches))]
        for index_B, (dropout_seed, *augment_seed) in zip(batches, seeds, strict=True):
            self._dropout_noise.seed(dropout_seed)
            for seed in augment_seed:
                self._augment_generator.manual_seed(seed)
            self._take_step(index_B)
            images_seen += len(index_B)
            self.step += 1
        return self._step.loss_sum.item() / images_seen, self._step.correct.item() / images_seen, images_seen

    def _explained(self, observed: list[InputVariance]) -> dict[str, Any]:
        """train_mode_loss, which is taken in training mode as train_loss, but at the weights and on the images of
        train_eval_loss; and what batch norm's running statistics do to val_loss. observed: during train_eval_loss.
        """
        with gathered_anew(self.model, self._batches_in_training_mode()) as train_mode_loss:
            if not batch_norms(self.model):
                return {"train_mode_loss": train_mode_loss}
            without_lag, _ = evaluate(self.model, self._images, self._val_N)
        without_shift = without_lag
        if drops_before_a_batch_norm(self.model):
            with gathered_anew(self.model, self._batches_in_training_mode(), dropout=False):
                without_shift, _ = evaluate(self.model, self._images, self._val_N)
        return {
            "train_mode_loss": train_mode_loss,
            "val_loss_without_lag": without_lag,
            "val_loss_without_shift": without_shift,
            "variance_shift": variance_shift(batch_norms(self.model), observed),
        }

    def _batches_in_training_mode(self) -> Iterator[tuple[Tensor, Tensor]]:
        for number, index_B in enumerate(self._in_batches(self._train_eval_N)):
            self._augment_generator.manual_seed(self._seed("decompose", self.epoch, number, 0))
            self._dropout_noise.seed(self._seed("decompose", self.epoch, number, 1))
            yield self._step.augmented(index_B)

    def _best_val_acc(self) -> float:
        return max((row["val_acc"] for row in self.history if math.isfinite(row["val_loss"])), default=-1.0)

    def _tested(self) -> dict[str, float]:
        if self._test_images is None:
            return {}
        everything_M = torch.arange(len(self._test_images.labels_N), device=self.device)
        loss, acc = evaluate(self.model, self._test_images, everything_M)
        return {"test_loss": loss, "test_acc": acc}

    def _batches_of_epoch(self) -> list[Tensor]:
        self._order_generator.manual_seed(self._seed("order", self.epoch))
        order_N = torch.randperm(len(self._train_N), generator=self._order_generator).to(self.device)
        return self._in_batches(self._train_N[order_N])

    def _in_batches(self, index_N: Tensor) -> list[Tensor]:
        batches = list(index_N.split(self.configuration["batch_size"]))
        # Batch normalisation has no variance of one image.
        return batches[:-1] if len(batches[-1]) < 2 else batches

    def _seed(self, purpose: Purpose, *keys: int) -> int:
        return seed_for(self._sweep_seed, self._replicate, purpose, *keys)

    def _to_device(self, index_N: np.ndarray) -> Tensor:
        return torch.from_numpy(index_N).to(self.device)
