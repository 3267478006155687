"""A block of layers, assembled from a layer order such as "lbrd"."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from search_spaces.layer_order import check_layer_order
from sweep.models.batch_norm import BatchNorm1d, BatchNorm2d
from sweep.models.dropout import Dropout


class Block(nn.Sequential):
    """The layers of `layer_order`, one after the other, named by their letters.

    l the linear layer or convolution given, b batch norm, r ReLU, d dropout. Batch norm has the width at its place: the
    input's before `l`, the output's after it. The bias of `l` is kept, even where batch norm follows.
    Raises ValueError for an order that is not valid.
    """

    def __init__(
        self,
        layer_order: str,
        layer: nn.Linear | nn.Conv2d,
        *,
        drop_rate: float | Tensor,
        momentum: float | Tensor,
        eps: float,
        generator: torch.Generator | None = None,
    ) -> None:
        check_layer_order(layer_order)
        batch_norm = BatchNorm1d if isinstance(layer, nn.Linear) else BatchNorm2d
        out_width, width = layer.weight.shape[:2]
        children: OrderedDict[str, nn.Module] = OrderedDict()
        for letter in layer_order:
            if letter == "l":
                children[letter] = layer
                width = out_width
            elif letter == "b":
                children[letter] = batch_norm(width, eps=eps, momentum=momentum)
            elif letter == "r":
                children[letter] = nn.ReLU()
            else:
                children[letter] = Dropout(drop_rate, generator=generator)
        super().__init__(children)
