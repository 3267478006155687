"""Batch normalisation, written from the formulas of Ioffe & Szegedy 2015 (arXiv 1502.03167).

Both layers hold their values under the names and shapes that torch.nn uses, so state dicts load either way.
Shape suffixes: N batch, D features, C channels (features of an image), H height, W width.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sweep.kernels import pointwise as kernels
from sweep.models.dropout import Dropout
from sweep.models.errors import ShapeError
from sweep.models.max_pool import MaxPool2d
from sweep.models.pointwise import HALF_DTYPES, pointwise_run
from sweep.models.pooled_run import PooledRun, pooled_norm


class _BatchNorm(nn.Module):
    """What BatchNorm1d and BatchNorm2d share: everything but the input's number of dimensions.

        training:    y = weight * (x - mean) / sqrt(var + eps) + bias       mean, var: of this batch, var biased (1/n)
                     running += momentum * (batch's - running)              with the unbiased var (1/(n - 1))
        evaluation:  y = weight * (x - running_mean) / sqrt(running_var + eps) + bias

    n counts all values of a feature in the batch: N, or N*H*W for images.
    momentum may be a float or a 0-d tensor; 0.1 is slow, 1 keeps the last batch only (torch's sense, not the paper's).
    """

    batch_shape: tuple[str, ...]  # of the input, as error messages write it, but for the feature dimension

    weight: nn.Parameter | None
    bias: nn.Parameter | None
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    # Called with each input in evaluation mode.
    observer: Callable[[Tensor], None] | None = None

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | Tensor = 0.1, affine: bool = True
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if num_features < 1:
            raise ValueError(f"{name}: num_features is {num_features}; it must be at least 1")
        if not eps > 0:
            raise ValueError(f"{name}: eps is {eps}; it must be above 0, 1e-5 is usual")
        if not 0 < momentum <= 1:
            raise ValueError(f"{name}: momentum is {momentum}; it must be in (0, 1], 0.1 is usual")
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.register_parameter("weight", nn.Parameter(torch.ones(num_features)) if affine else None)
        self.register_parameter("bias", nn.Parameter(torch.zeros(num_features)) if affine else None)
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x)

    def run(
        self, x: Tensor, *, rectify: bool = False, dropout: Dropout | None = None, pool: MaxPool2d | None = None
    ) -> Tensor:
        """pool(drop(relu(norm(x)))), all but the norm optional."""
        self._check(x)
        in_one_pass = (
            pool is not None and x.device.type == "cpu" and x.dtype not in HALF_DTYPES and min(x.shape[-2:]) > 1
        )
        if not self.training:
            if self.observer is not None:
                self.observer(x)
            if in_one_pass and not torch.is_grad_enabled():
                bias_C = torch.zeros_like(self.running_mean) if self.bias is None else self.bias
                return pooled_norm(x, self.running_mean, self._running_scale(), bias_C, rectify)
            y = self._by_the_running_statistics(x.float() if x.dtype in HALF_DTYPES else x).to(x.dtype)
            y = y.relu_() if rectify else y
            return y if pool is None else pool(y)
        norm = (self.weight, self.bias, self.eps)
        if in_one_pass:
            y, mean_C, var_C = PooledRun.apply(x, *norm, rectify, dropout)
        else:
            y, mean_C, var_C = pointwise_run(x, norm=norm, rectify=rectify, dropout=dropout)
            y = y if pool is None else pool(y)
        assert mean_C is not None
        assert var_C is not None
        self._move_running_statistics(mean_C, var_C, x.numel() // self.num_features)
        return y

    @torch.no_grad()
    def _move_running_statistics(self, mean_C: Tensor, var_C: Tensor, n: int) -> None:
        mean_C, var_C = (batch_C.to(self.running_mean.dtype) for batch_C in (mean_C, var_C))
        if mean_C.device.type == "cpu":
            kernels.move_running_statistics(
                self.running_mean.numpy(),
                self.running_var.numpy(),
                self.num_batches_tracked.numpy(),
                mean_C.numpy(),
                var_C.numpy(),
                float(self.momentum),
                n,
            )
            return
        self.running_mean.lerp_(mean_C, self.momentum)
        self.running_var.lerp_(var_C * (n / (n - 1)), self.momentum)
        self.num_batches_tracked += 1

    def _by_the_running_statistics(self, x: Tensor) -> Tensor:
        # As y = scale * x + shift it is one pass over x instead of four.
        scale_C = self._running_scale()
        shift_C = -self.running_mean * scale_C
        if self.bias is not None:
            shift_C = shift_C + self.bias
        return torch.addcmul(_per_feature(shift_C, x), x, _per_feature(scale_C, x))

    def _running_scale(self) -> Tensor:
        rstd_C = torch.rsqrt(self.running_var + self.eps)
        return rstd_C if self.weight is None else rstd_C * self.weight

    def _check(self, x: Tensor) -> None:
        if x.dim() != len(self.batch_shape) + 1 or x.shape[1] != self.num_features:
            wanted = [*self.batch_shape]
            wanted.insert(1, str(self.num_features))
            raise ShapeError(
                f"{self._name()}: got an input of shape {tuple(x.shape)}, wanted ({', '.join(wanted)}); "
                f"the second size must be the number of features it was built with"
            )
        if self.training and x.numel() < 2 * self.num_features:
            raise ShapeError(
                f"{self._name()}: got an input of shape {tuple(x.shape)} while training, wanted "
                f"{'*'.join(self.batch_shape)} >= 2, as one value has no variance; use a larger batch or .eval()"
            )

    def _name(self) -> str:
        return f"{type(self).__name__}({self.num_features})"

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.weight is not None}"


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of features. State dicts as torch.nn.BatchNorm1d's."""

    batch_shape = ("N",)

    def forward(self, x_ND: Tensor) -> Tensor:
        """Normalise each feature over the batch (Ioffe & Szegedy 2015, alg. 1).

        x_ND: float (N, D); training needs N >= 2. Returns (N, D).
        Training moves the running statistics by `momentum` towards the batch's.
        Raises ShapeError if D != num_features, or N < 2 while training.
        """
        return super().forward(x_ND)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of the channels of images. State dicts as torch.nn.BatchNorm2d's."""

    batch_shape = ("N", "H", "W")

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Normalise each channel over the batch and all places of the image (Ioffe & Szegedy 2015, sec. 3.2).

        x_NCHW: float (N, C, H, W); training needs N*H*W >= 2. Returns (N, C, H, W) in the memory format of x_NCHW.
        Training moves the running statistics by `momentum` towards the batch's.
        Raises ShapeError if C != num_features, or N*H*W < 2 while training.
        """
        return super().forward(x_NCHW)


def _per_feature(v_C: Tensor, like: Tensor) -> Tensor:
    """(C,) -> (1, C, 1, ...), to go with a tensor of the shape (N, C, ...)."""
    return v_C.view(1, -1, *[1] * (like.dim() - 2))
