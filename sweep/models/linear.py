"""The linear layer of a block: torch's, with products of our own where they are faster.

Shapes: B of a batch, I inputs, O outputs.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sweep.kernels import linear as kernels
from sweep.kernels import pixel_linear
from sweep.kernels.vectors import LANES, suit_the_processor

# With fewer, weight, gradient and moments stay in the cache anyway.
FEWEST_WEIGHTS = 2**18
# Above, what the optimiser keeps of a batch in a core's cache no longer fits.
LARGEST_BATCH = 1000
# Of pixels: that of a colour whose standard deviation is 10 of 255. All colours share an output's 16 bits.
MOST_SLOPE = 0.1
# Our loops use one core; torch's products use as many as a trial has (`resources.cpus_per_trial`).
MOST_THREADS = 2


class Linear(nn.Linear):
    """torch's linear layer; its state dicts load either way."""

    # Set by an optimiser that takes `factors` for `weight.grad` where `backward` leaves them: where the products are
    # our own.
    may_leave_factors = False
    # The arrays dy (B, O) and x (B, I), and where x is pixels what they stand for: the gradient of the weight is dyᵀ x.
    factors: tuple[Any, ...] | None = None
    # slope_C and shift_C, float32, of a layer that takes pixels.
    pixel_scale: tuple[Tensor, Tensor] | None = None

    def take_pixels(self, slope_C: Tensor, shift_C: Tensor) -> bool:
        """Whether x may be pixels from now on: int16 p, pixel - 128, which stands for slope * p + shift. On a CPU.

        Not where that is no faster (few weights), does not fit (each of the C colours is to have as many inputs, 16 or
        more, an even number), or a colour has so little contrast that its slope would leave the others few levels.
        Autograd has no gradients of such a product.
        """
        of_colour, rest = divmod(self.in_features, len(slope_C))
        fits = rest == 0 and of_colour % 2 == 0 and of_colour >= 2 * LANES
        if self.weight.numel() < FEWEST_WEIGHTS or not fits or slope_C.max() > MOST_SLOPE:
            return False
        self.pixel_scale = slope_C, shift_C
        return True

    def forward(self, x_BI: Tensor) -> Tensor:
        """x_BI: float (B, I), or pixels. Returns (B, O)."""
        if x_BI.dtype == torch.int16:
            return self._of_pixels(x_BI)
        if not self.multiplies(x_BI):
            return super().forward(x_BI)
        if torch.is_grad_enabled():
            return CompiledLinear.apply(x_BI, self.weight, self.bias, self)
        return product(x_BI, self.weight, self.bias)

    def normalised(self, pixels_BI: Tensor) -> Tensor:
        """What pixels stand for."""
        assert self.pixel_scale is not None
        slope_C, shift_C = self.pixel_scale
        x_BCP = slope_C[:, None] * pixels_BI.view(len(pixels_BI), len(slope_C), -1)
        return x_BCP.add_(shift_C[:, None]).view(pixels_BI.shape)

    def _of_pixels(self, pixels_BI: Tensor) -> Tensor:
        if self.pixel_scale is None or torch.is_grad_enabled():
            raise TypeError("Linear: got int16; allowed are pixels after take_pixels(), where autograd is off")
        y_BO = pixels_BI.new_empty(len(pixels_BI), self.out_features, dtype=torch.float32)
        arguments = (pixels_BI.contiguous(), *self.pixel_scale, self.weight.detach(), self.bias.detach(), y_BO)
        pixel_linear.forward(*(tensor.numpy() for tensor in arguments))
        return y_BO

    def multiplies(self, x_BI: Tensor) -> bool:
        """Whether the products with x are our own."""
        return (
            x_BI.device.type == "cpu"
            and x_BI.dim() == 2
            and 0 < len(x_BI) <= LARGEST_BATCH
            and x_BI.dtype == self.weight.dtype == torch.float32
            and not torch.is_autocast_enabled("cpu")
            and self.weight.numel() >= FEWEST_WEIGHTS
            and self.in_features >= LANES
            and torch.get_num_threads() <= MOST_THREADS
            and suit_the_processor()
        )


def product(x_BI: Tensor, weight_OI: Tensor, bias_O: Tensor) -> Tensor:
    """x weightᵀ + bias, float32 on a CPU."""
    x, weight, bias = (tensor.detach().contiguous().numpy() for tensor in (x_BI, weight_OI, bias_O))
    y_BO = x_BI.new_empty(len(x), len(weight))
    kernels.forward(x, weight, bias, y_BO.numpy())
    return y_BO


class CompiledLinear(torch.autograd.Function):
    """x weightᵀ + bias, whose backward may leave the factors of the weight's gradient with the layer."""

    @staticmethod
    def forward(ctx: Any, x_BI: Tensor, weight_OI: Tensor, bias_O: Tensor, layer: Linear) -> Tensor:
        ctx.save_for_backward(x_BI, weight_OI)
        ctx.layer = layer
        return product(x_BI, weight_OI, bias_O)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_BO: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor, None]:
        x_BI, weight_OI = ctx.saved_tensors
        layer = ctx.layer
        dx_BI = dy_BO @ weight_OI if ctx.needs_input_grad[0] else None
        dy_BO = dy_BO.contiguous()
        dbias_O = dy_BO.new_empty(dy_BO.shape[1])
        kernels.sum_of_rows(dy_BO.numpy(), dbias_O.numpy())
        if not layer.may_leave_factors:
            return dx_BI, dy_BO.t() @ x_BI, dbias_O, None
        if layer.factors is not None:
            raise RuntimeError("Linear: a second backward before the optimiser's step; call its zero_grad() first")
        layer.factors = dy_BO.numpy(), x_BI.contiguous().numpy()
        return dx_BI, None, dbias_O, None
