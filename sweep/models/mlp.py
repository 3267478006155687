"""The fully connected network."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from sweep.models.block import Block
from sweep.models.dropout import NoiseSource
from sweep.models.errors import check_images
from sweep.models.linear import Linear


class MLP(nn.Module):
    """Flatten, one block for each width in `hidden`, linear head.

    image_shape: (C, H, W). Initial weights come from torch's global generator and do not depend on the layer order;
    `noise` feeds dropout. Raises ValueError for an invalid layer order, rate, momentum or eps.
    """

    # The matrix product is fastest with many rows, as long as the images of a batch fit the last cache.
    evaluation_batch = 300
    gpu_evaluation_batch = 2000  # keeps a GPU busy

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
        hidden: Sequence[int] = (512,),
    ) -> None:
        super().__init__()
        self.image_shape = tuple(image_shape)
        width = math.prod(image_shape)
        blocks = []
        for out_width in hidden:
            layer = Linear(width, out_width)
            blocks.append(Block(layer_order, layer, drop_rate=drop_rate, momentum=momentum, eps=eps, noise=noise))
            width = out_width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(width, num_classes)

    def take_pixels(self, slope_C: Tensor, shift_C: Tensor) -> bool:
        """Whether images may be pixels from now on, as `Linear.take_pixels` has it for the first layer.

        They may only if the network begins with it. Twice as many are then evaluated at a time, in as many bytes.
        """
        first = self.blocks[0]
        assert isinstance(first, Block)
        assert isinstance(first.l, Linear)
        if first.runs[0] != "l" or not first.l.take_pixels(slope_C, shift_C):
            return False
        self.evaluation_batch = 2 * MLP.evaluation_batch
        return True

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """x_NCHW: float (N, *image_shape), or pixels. Returns logits (N, num_classes). Raises ShapeError otherwise."""
        logits: Tensor = self.head(self.features(x_NCHW))
        return logits

    def features(self, x_NCHW: Tensor) -> Tensor:
        """What the head is given: float (N, head.in_features). Raises ShapeError likewise."""
        check_images(x_NCHW, self.image_shape)
        features: Tensor = self.blocks(x_NCHW.flatten(1))
        return features
