"""Batch norm, ReLU and dropout that follow each other, and the max-pool behind them, in one pass on a CPU.

What stands before the pool is four times as large as behind it: two trials at once would push each other's out of the
cache that they share. Here it is never written, and its gradient neither.

Shapes: N images, C features, H and W height and width; R places of all images, P places of all pooled images.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sweep.kernels import pointwise
from sweep.kernels import pooled_pointwise as kernels
from sweep.models.dropout import Dropout
from sweep.models.pointwise import affine

KEEP_ALL = -(2**15), 1.0  # threshold and factor


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
        gamma_C, beta_C = affine(x_RC, weight_C, bias_C)
        of_norm = pointwise.normalisation(x_RC.numpy(), gamma_C.numpy(), float(eps))
        mean_C, var_C, rstd_C, scale_C = map(torch.from_numpy, of_norm)
        threshold, ctx.factor = dropout.threshold_and_factor() if dropout else KEEP_ALL
        noise = dropout.draw(x_RC) if dropout else _any_noise(x_RC)
        constants = mean_C, scale_C, beta_C
        y_NCHW, place_PC, source_PC = _pooled(x_NCHW, x_RC, constants, rectify, noise, threshold, ctx.factor)
        ctx.size = x_NCHW.shape[2:]
        ctx.mark_non_differentiable(mean_C, var_C)
        ctx.save_for_backward(x_RC, place_PC, source_PC, mean_C, rstd_C, scale_C)
        return y_NCHW, mean_C, var_C

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_NCHW: Tensor, _dmean: Tensor, _dvar: Tensor) -> tuple[Tensor | None, ...]:
        """As `sweep.models.pointwise.CompiledRun.backward`."""
        x_RC, place_PC, source_PC, mean_C, rstd_C, scale_C = ctx.saved_tensors
        height, width = ctx.size
        dy, place, x, mean = (tensor.numpy() for tensor in (_rows(dy_NCHW), place_PC, x_RC, mean_C))
        scale = scale_C.numpy()
        dweight, dbias, slope, offset = pointwise.norm_gradients(
            dy, place != kernels.NOWHERE, ctx.factor, source_PC.numpy(), mean, rstd_C.numpy(), scale, len(x)
        )
        dx_NCHW = None
        if ctx.needs_input_grad[0]:
            dx_RC = torch.empty_like(x_RC)
            kernels.backward(dy, place, ctx.factor, x, height, width, mean, scale, slope, offset, dx_RC.numpy())
            dx_NCHW = dx_RC.view(len(dy_NCHW), height, width, -1).permute(0, 3, 1, 2)
        return (
            dx_NCHW,
            torch.from_numpy(dweight) if ctx.needs_input_grad[1] else None,
            torch.from_numpy(dbias) if ctx.needs_input_grad[2] else None,
            None,
            None,
            None,
        )


def pooled_norm(x_NCHW: Tensor, mean_C: Tensor, scale_C: Tensor, bias_C: Tensor, rectify: bool) -> Tensor:
    """max_pool(relu((x - mean) * scale + bias)), ReLU if asked for, without a gradient."""
    x_RC = _rows(x_NCHW)
    constants = tuple(constant.detach().to(x_RC.dtype) for constant in (mean_C, scale_C, bias_C))
    return _pooled(x_NCHW, x_RC, constants, rectify, _any_noise(x_RC), *KEEP_ALL)[0]


def _pooled(
    x_NCHW: Tensor,
    x_RC: Tensor,
    constants: tuple[Tensor, ...],
    rectify: bool,
    noise_RC: Tensor,
    threshold: int,
    factor: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """y_NCHW, place_PC and source_PC. constants: mean_C, scale_C, bias_C."""
    images, features, height, width = x_NCHW.shape
    shape = images, features, height // 2, width // 2
    y_NCHW = torch.empty(shape, dtype=x_RC.dtype, memory_format=torch.channels_last)
    y_PC = y_NCHW.permute(0, 2, 3, 1).view(-1, features)
    place_PC = torch.empty(y_PC.shape, dtype=torch.uint8)
    source_PC = torch.empty_like(y_PC)
    x, mean, scale, bias, noise = (tensor.numpy() for tensor in (x_RC, *constants, noise_RC))
    outputs = (tensor.numpy() for tensor in (y_PC, place_PC, source_PC))
    kernels.forward(x, height, width, mean, scale, bias, rectify, noise, threshold, factor, *outputs)
    return y_NCHW, place_PC, source_PC


def _any_noise(x_RC: Tensor) -> Tensor:
    """x itself, as integers: what is kept anyway needs no noise, and x is in the cache already."""
    return x_RC.view(-1).view(torch.int16).view(len(x_RC), x_RC.shape[1] * x_RC.element_size() // 2)


def _rows(x_NCHW: Tensor) -> Tensor:
    return x_NCHW.permute(0, 2, 3, 1).reshape(-1, x_NCHW.shape[1]).contiguous()
