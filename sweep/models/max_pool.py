"""The pool between the blocks of a CNN."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sweep.kernels import max_pool as kernels


class MaxPool2d(nn.MaxPool2d):
    """torch's 2×2 max-pool, as compiled loops on a CPU, where torch's backward takes several times as long."""

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """x_NCHW: float (N, C, H, W). Returns (N, C, H // 2, W // 2), with the features last in memory on a CPU."""
        full = x_NCHW.dtype in (torch.float32, torch.float64)
        if x_NCHW.device.type == "cpu" and full and min(x_NCHW.shape[-2:]) > 1:
            y: Tensor = _CompiledMaxPool.apply(x_NCHW)
            return y
        return super().forward(x_NCHW)


class _CompiledMaxPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_NCHW: Tensor) -> Tensor:
        x_NHWC = x_NCHW.detach().permute(0, 2, 3, 1).contiguous()
        images, ctx.height, ctx.width, features = x_NHWC.shape
        # Not a view of a tensor with its features last: the ReLU behind it may work in place.
        y_NCHW = torch.empty(
            (images, features, ctx.height // 2, ctx.width // 2),
            dtype=x_NCHW.dtype,
            memory_format=torch.channels_last,
        )
        y_NHWC = y_NCHW.permute(0, 2, 3, 1)
        place_NHWC = torch.empty(y_NHWC.shape, dtype=torch.uint8)
        kernels.forward(x_NHWC.numpy(), y_NHWC.numpy(), place_NHWC.numpy())
        ctx.save_for_backward(place_NHWC)
        return y_NCHW

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_NCHW: Tensor) -> Tensor:
        (place_NHWC,) = ctx.saved_tensors
        dy_NHWC = dy_NCHW.permute(0, 2, 3, 1).contiguous()
        dx_NHWC = dy_NHWC.new_empty(len(dy_NHWC), ctx.height, ctx.width, dy_NHWC.shape[3])
        kernels.backward(dy_NHWC.numpy(), place_NHWC.numpy(), dx_NHWC.numpy())
        return dx_NHWC.permute(0, 3, 1, 2)
