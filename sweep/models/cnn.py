"""The convolutional network."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sweep.models.block import Block
from sweep.models.convolution import Conv2d
from sweep.models.dropout import NoiseSource
from sweep.models.errors import ShapeError, check_images
from sweep.models.max_pool import MaxPool2d


class CNN(nn.Module):
    """For each width in `channels` a block and a 2×2 max-pool that halves the image; then flatten, linear head.

    image_shape: (C, H, W), at least 2 ** len(channels) high and wide. The convolutions keep the image's size.
    Initial weights come from torch's global generator and do not depend on the layer order; `noise` feeds dropout.
    Raises ShapeError for an image too small; ValueError for an even kernel_size, an invalid layer order, rate,
    momentum or eps.
    """

    # Activations of more images would fall out of the cache of a CPU.
    evaluation_batch = 100

    def __init__(
        self,
        *,
        image_shape: Sequence[int],
        num_classes: int,
        layer_order: str,
        drop_rate: float | Tensor,
        momentum: float | Tensor,
        eps: float,
        noise: NoiseSource | None = None,
        channels: Sequence[int] = (32, 64),
        kernel_size: int = 3,
    ) -> None:
        super().__init__()
        width, height_px, width_px = image_shape
        smallest_px = 2 ** len(channels)
        if min(height_px, width_px) < smallest_px:
            raise ShapeError(
                f"channels: {len(channels)} blocks halve the image {len(channels)} times and need at least "
                f"{smallest_px}x{smallest_px} pixels, got {height_px}x{width_px}; use fewer blocks or larger images"
            )
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size: {kernel_size} is even; use an odd one, which keeps the image's size")
        self.image_shape = tuple(image_shape)
        # Keeps a GPU busy; of wider blocks fewer do, and fit its memory.
        self.gpu_evaluation_batch = max(100, 2000 * 64 // max(*channels, 64))
        stages: list[nn.Module] = []
        for out_width in channels:
            layer = Conv2d(width, out_width, kernel_size)
            stages.append(Block(layer_order, layer, drop_rate=drop_rate, momentum=momentum, eps=eps, noise=noise))
            stages.append(MaxPool2d())
            width = out_width
        self.blocks = nn.Sequential(*stages)
        self.head = nn.Linear(width * (height_px // smallest_px) * (width_px // smallest_px), num_classes)
        self.to(memory_format=torch.channels_last)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """x_NCHW: float (N, *image_shape). Returns logits (N, num_classes). Raises ShapeError for other images."""
        logits: Tensor = self.head(self.features(x_NCHW))
        return logits

    def features(self, x_NCHW: Tensor) -> Tensor:
        """What the head is given: float (N, head.in_features). Raises ShapeError likewise."""
        check_images(x_NCHW, self.image_shape)
        # Convolutions with channels last are a fifth faster on a CPU; copying the images costs next to nothing.
        x_NCHW = x_NCHW.contiguous(memory_format=torch.channels_last)
        stages = iter(self.blocks)
        for block, pool in zip(stages, stages, strict=True):
            x_NCHW = block(x_NCHW, pool)
        return x_NCHW.flatten(1)
