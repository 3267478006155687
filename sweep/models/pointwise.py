"""Batch norm, ReLU and dropout that follow each other, in as few passes over memory as they can have.

On a CPU the activations of a batch do not fit into a core's cache (13 MB after the first convolution), and between the
convolutions a step waits for memory. So a run of these layers works through blocks of rows, each small enough to stay
in the cache until all layers are done with it.

Shapes: R rows (images, or the places of all images), C features.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

if TYPE_CHECKING:
    from sweep.models.dropout import Dropout

BLOCK_BYTES = 2**20

# Sums over a batch lose too many digits in these, and noise its levels; torch.autocast hands them to us.
HALF_DTYPES = (torch.bfloat16, torch.float16)


def pointwise_run(
    x: Tensor,
    *,
    norm: tuple[Tensor | None, Tensor | None, float] | None = None,
    rectify: bool = False,
    dropout: "Dropout | None" = None,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """drop(relu(norm(x))) while training, each part optional. Dropout before ReLU would give the same.

    x: float (N, C, ...); half precision is computed in float32. norm: weight_C, bias_C (None for 1 and 0), eps.
    Returns y, in the shape and memory format of x, and the batch's mean_C and biased var_C, which carry no gradient
    (None without norm).
    """
    features_last = (x.float() if x.dtype in HALF_DTYPES else x).movedim(1, -1)
    weight_C, bias_C, eps = norm or (None, None, None)
    y_RC, mean_C, var_C = _PointwiseRun.apply(
        features_last.reshape(-1, x.shape[1]), weight_C, bias_C, eps, rectify, dropout
    )
    y = y_RC.view(features_last.shape).movedim(-1, 1).to(x.dtype)
    return (y.contiguous() if x.is_contiguous() else y), mean_C, var_C


class _PointwiseRun(torch.autograd.Function):
    """The run with its gradient in closed form: autograd through the formulas takes several times as long."""

    @staticmethod
    def forward(
        ctx: Any,
        x_RC: Tensor,
        weight_C: Tensor | None,
        bias_C: Tensor | None,
        eps: float | None,
        rectify: bool,
        dropout: "Dropout | None",
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        mean_C = var_C = rstd_C = scale_C = None
        if eps is not None:
            mean_C, var_C = _mean_and_variance(x_RC)
            rstd_C = torch.rsqrt(var_C + eps)
            scale_C = rstd_C if weight_C is None else rstd_C * weight_C
            ctx.mark_non_differentiable(mean_C, var_C)
        y_RC = torch.empty_like(x_RC)
        # With ReLU, y > 0 tells where the gradient passes; only without it are dropout's factors needed again.
        factor_RC = torch.empty_like(x_RC) if dropout and not rectify else None
        for x, y, factor in _blocks(x_RC, y_RC, factor_RC):
            if mean_C is None or scale_C is None:
                y.copy_(x)
            else:
                torch.sub(x, mean_C, out=y).mul_(scale_C)
                if bias_C is not None:
                    y.add_(bias_C)
            if rectify:
                y.clamp_min_(0)
            if dropout:
                factor = torch.empty_like(y) if factor is None else factor
                y.mul_(dropout.fill(factor))
        ctx.save_for_backward(
            None if eps is None else x_RC,
            mean_C,
            rstd_C,
            scale_C,
            y_RC if rectify else None,
            factor_RC,
        )
        # Not expanded to the rows: it lies on the CPU, where a GPU reads a lone value only.
        ctx.scale = dropout.scale(x_RC) if rectify and dropout else None
        return y_RC, mean_C, var_C

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_RC: Tensor, _dmean: Tensor, _dvar: Tensor) -> tuple[Tensor | None, ...]:
        """First back through dropout and ReLU, then through batch norm.

        With h = (x - mean) * rstd and dy behind batch norm: dbias = Σ dy, dweight = Σ dy*h,
        dx = scale * (dy - dbias/R - h * dweight/R): the chain rule of the paper's section 3, solved for dx.
        """
        x_RC, mean_C, rstd_C, scale_C, y_RC, factor_RC = ctx.saved_tensors
        dx_RC = torch.empty_like(dy_RC)
        dbias_C = dy_RC.new_zeros(dy_RC.shape[1])
        dscale_C = torch.zeros_like(dbias_C)
        for dy, dx, y, f, x in _blocks(dy_RC, dx_RC, y_RC, factor_RC, x_RC):
            if y is not None:
                torch.ops.aten.threshold_backward.grad_input(dy, y, 0, grad_input=dx)
            else:
                dx.copy_(dy)
            factor = f if f is not None else ctx.scale
            if factor is not None:
                dx.mul_(factor)
            if x is not None:
                dbias_C += dx.sum(0)
                dscale_C += (x - mean_C).mul_(dx).sum(0)
        if x_RC is None:
            return dx_RC, None, None, None, None, None
        dweight_C = dscale_C * rstd_C
        if ctx.needs_input_grad[0]:
            rows = len(dx_RC)
            slope_C = rstd_C * dweight_C / rows
            for dx, x in _blocks(dx_RC, x_RC):
                dx.sub_((x - mean_C).mul_(slope_C).add_(dbias_C / rows)).mul_(scale_C)
        return (
            dx_RC if ctx.needs_input_grad[0] else None,
            dweight_C if ctx.needs_input_grad[1] else None,
            dbias_C if ctx.needs_input_grad[2] else None,
            None,
            None,
            None,
        )


def _mean_and_variance(x_RC: Tensor) -> tuple[Tensor, Tensor]:
    """Each feature's mean and biased variance.

    The mean is taken off before squaring: E[x²] - E[x]² cancels badly in float32.
    """
    mean_C = x_RC.sum(0) / len(x_RC)
    squares_C = torch.zeros_like(mean_C)
    for (x,) in _blocks(x_RC):
        squares_C += (x - mean_C).square_().sum(0)
    return mean_C, squares_C / len(x_RC)


def _blocks(first_RC: Tensor, *others_RC: Tensor | None) -> Iterator[tuple[Any, ...]]:
    """The tensors in blocks of rows that fit into a cache; on a GPU as they are. None stays None."""
    rows = len(first_RC)
    if first_RC.device.type == "cpu":
        # A multiple of four rows: noise comes in fours, and so does not depend on the size of a block.
        rows = max(1, BLOCK_BYTES // (4 * first_RC.shape[1] * first_RC.element_size())) * 4
    parts = [tensor.split(rows) if tensor is not None else None for tensor in (first_RC, *others_RC)]
    for i in range(len(parts[0] or ())):
        yield tuple(part[i] if part is not None else None for part in parts)
