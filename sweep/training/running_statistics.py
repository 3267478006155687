"""What batch norm's running statistics do to an evaluation, and what it would be without that.

Evaluation mode normalises by statistics that training has gathered on the way. They miss what the network then meets
for two reasons: they lag behind the weights, and dropout in front changed the variance while they were gathered and
does so no more (the variance shift of Li et al. 2018, arXiv 1801.05134). C features of a layer.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor

from sweep.models.batch_norm import BatchNorm1d, BatchNorm2d
from sweep.models.build import Network
from sweep.models.dropout import Dropout

BatchNorm = BatchNorm1d | BatchNorm2d


def batch_norms(model: Network) -> list[BatchNorm]:
    """The batch-norm layers, from the input to the output."""
    return [module for module in model.modules() if isinstance(module, BatchNorm)]


def drops_before_a_batch_norm(model: Network) -> bool:
    """Whether a dropout layer that drops something while training stands before a batch norm, at any distance."""
    drops = False
    for module in model.modules():
        if isinstance(module, Dropout):
            drops = drops or float(module.p) > 0
        elif drops and isinstance(module, BatchNorm):
            return True
    return False


class InputVariance:
    """The variance of each feature over all batches that it is called with."""

    def __init__(self) -> None:
        self._n = 0
        self._mean_C = self._squares_C = torch.zeros(())

    def __call__(self, x: Tensor) -> None:
        """x: float (N, C) or (N, C, H, W), at least one value a feature."""
        x_CN = x.float().movedim(1, 0).flatten(1)
        var_C, mean_C = torch.var_mean(x_CN, 1, correction=0)
        n, mean_C = x_CN.shape[1], mean_C.double()
        # Of two groups as of one: Chan, Golub & LeVeque 1979, eq. 2.1. The mean of squares would cancel badly.
        total, moved_C = self._n + n, mean_C - self._mean_C.to(mean_C)
        self._squares_C = self._squares_C.to(mean_C) + n * var_C.double() + moved_C**2 * (self._n * n / total)
        self._mean_C = self._mean_C.to(mean_C) + moved_C * (n / total)
        self._n = total

    def per_feature(self) -> Tensor:
        """Biased, float64 (C,)."""
        return self._squares_C / self._n


@contextmanager
def observed_inputs(layers: Sequence[BatchNorm]) -> Iterator[list[InputVariance]]:
    """Inside, what each of the layers is given in evaluation mode counts towards a variance of its own."""
    observed = [InputVariance() for _ in layers]
    try:
        for layer, observer in zip(layers, observed, strict=True):
            layer.observer = observer
        yield observed
    finally:
        for layer in layers:
            layer.observer = None


def variance_shift(layers: Sequence[BatchNorm], observed: Sequence[InputVariance]) -> list[float]:
    """For each layer: the variance that it met over the one that it normalises by, 1 where they agree.

    The geometric mean over features of (var + eps) / (running_var + eps): eps is what batch norm adds, too, and keeps
    features that never vary out of the result. Li et al. call it the shift ratio, there never below 1.
    """
    shifts = []
    for layer, seen in zip(layers, observed, strict=True):
        ratio_C = (seen.per_feature() + layer.eps) / (layer.running_var.double() + layer.eps)
        shifts.append(ratio_C.log().mean().exp().item())
    return shifts


@contextmanager
def gathered_anew(model: Network, batches: Iterable[tuple[Tensor, Tensor]], *, dropout: bool = True) -> Iterator[float]:
    """Inside, the running statistics are the means over `batches` of each batch's own, at the weights as they are.

    batches: images float (B, C, H, W) and labels int64 (B,), B at least 2; they pass in training mode, without dropout
    if asked. Yields the mean cross-entropy over them (nats). Afterwards the running statistics are as before, and the
    model is in training mode; no weight moves.
    """
    kept = [buffer.clone() for buffer in model.buffers()]
    momenta = [layer.momentum for layer in batch_norms(model)]
    try:
        yield _gather(model, batches, dropout)
    finally:
        model.train()
        for layer, momentum in zip(batch_norms(model), momenta, strict=True):
            layer.momentum = momentum
        for buffer, before in zip(model.buffers(), kept, strict=True):
            buffer.copy_(before)


@torch.inference_mode()
def _gather(model: Network, batches: Iterable[tuple[Tensor, Tensor]], dropout: bool) -> float:
    for module in model.modules():
        if isinstance(module, Dropout):
            module.train(dropout)
    total, count = torch.zeros((), dtype=torch.float64), 0
    for number, (x_BCHW, y_B) in enumerate(batches, start=1):
        for layer in batch_norms(model):
            layer.momentum = 1 / number  # so the statistics are the mean over the batches so far
        loss = F.cross_entropy(model(x_BCHW).float(), y_B, reduction="sum")
        total, count = total.to(loss.device) + loss, count + len(y_B)
    return total.item() / count
