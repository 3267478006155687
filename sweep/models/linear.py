"""The linear layer of a block: torch's, with a gradient that an optimiser may multiply out itself."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sweep.kernels.vectors import suit_the_processor

# With fewer, little is saved: gradient, weight and moments stay in the cache anyway.
FEWEST_WEIGHTS = 2**17
# Above, what that keeps in a core's cache no longer fits.
LARGEST_BATCH = 1000


class Linear(nn.Linear):
    """torch's linear layer; its state dicts load either way."""

    # Set by an optimiser that takes `factors` for `weight.grad` where `backward` leaves them: for large weights in
    # float32 on a CPU whose vectors `sweep.kernels` knows.
    may_leave_factors = False
    # dy (B, out_features) and x (B, in_features): the gradient of the weight is dyᵀ x.
    factors: tuple[Tensor, Tensor] | None = None

    def forward(self, x_BI: Tensor) -> Tensor:
        """x_BI: float (B, in_features). Returns (B, out_features)."""
        if self.may_leave_factors and torch.is_grad_enabled() and self._pays(x_BI):
            return LeavingFactors.apply(x_BI, self.weight, self.bias, self)
        return super().forward(x_BI)

    def _pays(self, x_BI: Tensor) -> bool:
        return (
            x_BI.device.type == "cpu"
            and x_BI.dim() == 2
            and len(x_BI) <= LARGEST_BATCH
            and x_BI.dtype == self.weight.dtype == torch.float32
            and not torch.is_autocast_enabled("cpu")
            and self.weight.numel() >= FEWEST_WEIGHTS
            and suit_the_processor()
        )


class LeavingFactors(torch.autograd.Function):
    """x weightᵀ + bias, whose backward leaves the factors of the weight's gradient with the layer."""

    @staticmethod
    def forward(ctx: Any, x_BI: Tensor, weight_OI: Tensor, bias_O: Tensor, layer: Linear) -> Tensor:
        ctx.save_for_backward(x_BI, weight_OI)
        ctx.layer = layer
        return torch.addmm(bias_O, x_BI, weight_OI.t())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_BO: Tensor) -> tuple[Tensor | None, None, Tensor, None]:
        x_BI, weight_OI = ctx.saved_tensors
        if ctx.layer.factors is not None:
            raise RuntimeError("Linear: a second backward before the optimiser's step; call its zero_grad() first")
        ctx.layer.factors = dy_BO.contiguous(), x_BI.contiguous()
        return dy_BO @ weight_OI if ctx.needs_input_grad[0] else None, None, dy_BO.sum(0), None
