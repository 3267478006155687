"""The convolution of a block: torch's, and on a CPU Winograd's where that takes less time."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sweep.kernels import winograd as kernels
from sweep.kernels.winograd import PATCH, TILE

# The tiles of as many images as fit stay in a core's cache from one transform to the next.
WORKSPACE_BYTES = 2**20
# With 16 the transforms cost more than the products save, with 32 they take 0.7 to 0.8 of the time, with 64 half.
FEWEST_FEATURES = 32


class Conv2d(nn.Conv2d):
    """torch's convolution with stride 1 that keeps the image's size; its state dicts load either way.

    Between 32 features or more, 3×3 kernels in float32 on a CPU are computed by Winograd's F(4×4, 3×3), but for images
    so small that the tiles would be half empty. It takes a quarter of the multiplications and is exact to 1e-5 of the
    largest output, where the direct sum is to 1e-6; what is not finite spreads over its tile.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """x_NCHW: float (N, in_channels, H, W). Returns (N, out_channels, H, W)."""
        if self._pays_by_tiles(x_NCHW):
            return ConvolutionByTiles.apply(x_NCHW, self.weight, self.bias)
        return super().forward(x_NCHW)

    def _pays_by_tiles(self, x_NCHW: Tensor) -> bool:
        if (
            x_NCHW.device.type != "cpu"
            or x_NCHW.dim() != 4
            or x_NCHW.shape[1] != self.in_channels  # for torch to refuse
            or x_NCHW.dtype != torch.float32
            or self.weight.dtype != torch.float32
            or torch.is_autocast_enabled("cpu")
            or self.kernel_size != (3, 3)
            or min(self.in_channels, self.out_channels) < FEWEST_FEATURES
        ):
            return False
        height, width = x_NCHW.shape[2:]
        # At most half of the products: tiles reach over the end of a small image.
        return 2 * -(-height // TILE) * -(-width // TILE) * PATCH**2 <= 9 * height * width


class ConvolutionByTiles(torch.autograd.Function):
    """Lavin & Gray 2016 (arXiv 1509.09308), section 4, and backward the transposed maps.

    y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ x B)] A for each pair of features; summed over input features, the products at each of the 36
    places of a tile are one matrix product over all tiles.

    x: (N, C, H, W), weight: (K, C, 3, 3), bias: (K,), all of one float type, on a CPU.
    """

    @staticmethod
    def forward(ctx: Any, x_NCHW: Tensor, weight_KC33: Tensor, bias_K: Tensor) -> Tensor:
        x_NHWC = _features_last(x_NCHW)
        weight_36CK = _transformed_weight(weight_KC33)
        # Not a view of a tensor with its features last: the ReLU behind it may work in place.
        y_NKHW = torch.empty(
            (len(x_NCHW), len(bias_K), *x_NCHW.shape[2:]), dtype=x_NCHW.dtype, memory_format=torch.channels_last
        )
        x, y, bias, tiles = x_NHWC.numpy(), _features_last(y_NKHW).numpy(), bias_K.detach().numpy(), _tiles(x_NHWC)
        for part, inputs_36TC, outputs_36TK in _chunks(x_NHWC, weight_36CK):
            kernels.inputs_to_tiles(x[part], *tiles, inputs_36TC.numpy())
            torch.bmm(inputs_36TC, weight_36CK, out=outputs_36TK)
            kernels.tiles_to_outputs(outputs_36TK.numpy(), bias, *tiles, y[part])
        ctx.save_for_backward(x_NHWC, weight_36CK)
        return y_NKHW

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_NKHW: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x_NHWC, weight_36CK = ctx.saved_tensors
        dy_NHWK = _features_last(dy_NKHW)
        dx_NHWC = torch.empty_like(x_NHWC) if ctx.needs_input_grad[0] else None
        dweight_36CK = torch.zeros_like(weight_36CK)
        x, dy, tiles = x_NHWC.numpy(), dy_NHWK.numpy(), _tiles(x_NHWC)
        for part, inputs_36TC, outputs_36TK in _chunks(x_NHWC, weight_36CK):
            kernels.inputs_to_tiles(x[part], *tiles, inputs_36TC.numpy())
            kernels.gradients_to_tiles(dy[part], *tiles, outputs_36TK.numpy())
            dweight_36CK.baddbmm_(inputs_36TC.transpose(1, 2), outputs_36TK)
            if dx_NHWC is not None:
                torch.bmm(outputs_36TK, weight_36CK.transpose(1, 2), out=inputs_36TC)
                kernels.tiles_to_gradients(inputs_36TC.numpy(), *tiles, dx_NHWC.numpy()[part])
        dx_NCHW = None if dx_NHWC is None else dx_NHWC.permute(0, 3, 1, 2)
        return dx_NCHW, _weight_gradient(dweight_36CK), dy_NHWK.sum((0, 1, 2))


def _features_last(x_NCHW: Tensor) -> Tensor:
    return x_NCHW.detach().permute(0, 2, 3, 1).contiguous()


def _tiles(x_NHWC: Tensor) -> tuple[int, int]:
    """How many tiles an image is high and wide."""
    return -(-x_NHWC.shape[1] // TILE), -(-x_NHWC.shape[2] // TILE)


def _chunks(x_NHWC: Tensor, weight_36CK: Tensor) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Images that are computed together, and memory for their tiles of inputs (36, T, C) and of outputs (36, T, K)."""
    places, inputs, outputs = weight_36CK.shape
    tiles = math.prod(_tiles(x_NHWC))
    images = max(1, WORKSPACE_BYTES // (tiles * places * (inputs + outputs) * x_NHWC.element_size()))
    memory = [x_NHWC.new_empty(images * tiles * places * features) for features in (inputs, outputs)]
    tiles_of = {
        count: [
            flat[: places * count * tiles * features].view(places, count * tiles, features)
            for flat, features in zip(memory, (inputs, outputs), strict=True)
        ]
        for count in (images, len(x_NHWC) % images)
    }
    for first in range(0, len(x_NHWC), images):
        part = slice(first, min(first + images, len(x_NHWC)))
        inputs_36TC, outputs_36TK = tiles_of[part.stop - first]
        yield part, inputs_36TC, outputs_36TK


def _transformed_weight(weight_KC33: Tensor) -> Tensor:
    """G w Gᵀ of each pair of features, (36, C, K)."""
    outputs, inputs = weight_KC33.shape[:2]
    places_9CK = weight_KC33.detach().permute(2, 3, 1, 0).reshape(9, inputs * outputs)
    return (_of_weights(weight_KC33) @ places_9CK).view(-1, inputs, outputs)


def _weight_gradient(dweight_36CK: Tensor) -> Tensor:
    """Gᵀ dw G of each pair of features, (K, C, 3, 3): the transposed map of `_transformed_weight`."""
    _, inputs, outputs = dweight_36CK.shape
    places_9CK = _of_weights(dweight_36CK).t() @ dweight_36CK.view(-1, inputs * outputs)
    return places_9CK.view(3, 3, inputs, outputs).permute(3, 2, 0, 1)


def _of_weights(like: Tensor) -> Tensor:
    return torch.from_numpy(kernels.OF_WEIGHTS).to(like.dtype)
