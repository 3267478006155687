"""Batch norm, ReLU and dropout that follow each other, and the max-pool behind them, in one pass on a CPU.

What stands before the pool is four times as large as behind it: two trials at once would push each other's out of the
cache that they share. Here it is never written, and its gradient neither.

Shapes: N images, C features, H and W height and width; R places of all images, P places of all pooled images.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sweep.kernels import pooled_pointwise as kernels
from sweep.models.dropout import Dropout
from sweep.models.pointwise import Normalisation


class PooledRun(torch.autograd.Function):
    """max_pool(drop(relu(norm(x)))) while training, the two in the middle optional.

    x: float32 or float64 (N, C, H, W). Returns y (N, C, H // 2, W // 2) with its features last in memory, and the
    batch's mean_C and biased var_C, which carry no gradient.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x_NCHW: Tensor,
        weight_C: Tensor | None,
        bias_C: Tensor | None,
        eps: float,
        rectify: bool,
        dropout: Dropout | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        x_RC = _rows(x_NCHW.detach())
        norm = Normalisation(x_RC, weight_C, bias_C, eps)
        y_NCHW, place_PC = _pooled(x_NCHW, x_RC, (norm.mean_C, norm.scale_C, norm.bias_C), rectify, dropout)
        ctx.factor = dropout.threshold_and_factor()[1] if dropout else 1.0
        ctx.size = x_NCHW.shape[2:]
        ctx.mark_non_differentiable(norm.mean_C, norm.var_C)
        ctx.save_for_backward(x_RC, place_PC, norm.mean_C, norm.rstd_C, norm.scale_C)
        return y_NCHW, norm.mean_C, norm.var_C

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_NCHW: Tensor, _dmean: Tensor, _dvar: Tensor) -> tuple[Tensor | None, ...]:
        """As `sweep.models.pointwise.CompiledRun.backward`."""
        x_RC, place_PC, mean_C, rstd_C, scale_C = ctx.saved_tensors
        height, width = ctx.size
        dy, place, x, mean = (tensor.numpy() for tensor in (_rows(dy_NCHW), place_PC, x_RC, mean_C))
        sums = kernels.backward_sums(dy, place, ctx.factor, x, height, width, mean)
        dbias_C, products_C = (torch.from_numpy(sum_C).to(x_RC.dtype) for sum_C in sums)
        dweight_C = products_C * rstd_C
        dx_NCHW = None
        if ctx.needs_input_grad[0]:
            slope_C, offset_C = scale_C * rstd_C * dweight_C / len(x), scale_C * dbias_C / len(x)
            dx_RC = torch.empty_like(x_RC)
            scale, slope, offset, dx = (tensor.numpy() for tensor in (scale_C, slope_C, offset_C, dx_RC))
            kernels.backward(dy, place, ctx.factor, x, height, width, mean, scale, slope, offset, dx)
            dx_NCHW = dx_RC.view(len(dy_NCHW), height, width, -1).permute(0, 3, 1, 2)
        return (
            dx_NCHW,
            dweight_C if ctx.needs_input_grad[1] else None,
            dbias_C if ctx.needs_input_grad[2] else None,
            None,
            None,
            None,
        )


def pooled_norm(x_NCHW: Tensor, mean_C: Tensor, scale_C: Tensor, bias_C: Tensor, rectify: bool) -> Tensor:
    """max_pool(relu((x - mean) * scale + bias)), ReLU if asked for, without a gradient."""
    return _pooled(x_NCHW, _rows(x_NCHW), (mean_C, scale_C, bias_C), rectify, None)[0]


def _pooled(
    x_NCHW: Tensor, x_RC: Tensor, norm: tuple[Tensor, ...], rectify: bool, dropout: Dropout | None
) -> tuple[Tensor, Tensor]:
    """y_NCHW and place_PC."""
    images, features, height, width = x_NCHW.shape
    # Without dropout all is kept, whatever the noise is: x, as it is in the cache already.
    noise, threshold, factor = x_RC.view(-1).view(torch.int16).view(len(x_RC), -1), -(2**15), 1.0
    if dropout:
        noise = dropout.draw(x_RC)
        threshold, factor = dropout.threshold_and_factor()
    shape = images, features, height // 2, width // 2
    y_NCHW = torch.empty(shape, dtype=x_RC.dtype, memory_format=torch.channels_last)
    y_PC = y_NCHW.permute(0, 2, 3, 1).view(-1, features)
    place_PC = torch.empty(y_PC.shape, dtype=torch.uint8)
    mean, scale, bias = (tensor.numpy() for tensor in norm)
    kernels.forward(
        x_RC.numpy(),
        height,
        width,
        mean,
        scale,
        bias,
        rectify,
        noise.numpy(),
        threshold,
        factor,
        y_PC.numpy(),
        place_PC.numpy(),
    )
    return y_NCHW, place_PC


def _rows(x_NCHW: Tensor) -> Tensor:
    return x_NCHW.permute(0, 2, 3, 1).reshape(-1, x_NCHW.shape[1]).contiguous()
