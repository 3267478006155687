"""A block of layers, assembled from a layer order such as "lbrd"."""

import re
from collections import OrderedDict

from torch import Tensor, nn

from search_spaces.layer_order import check_layer_order
from sweep.models.batch_norm import BatchNorm1d, BatchNorm2d
from sweep.models.dropout import Dropout, NoiseSource
from sweep.models.max_pool import MaxPool2d
from sweep.models.pointwise import pointwise_run


class Block(nn.Sequential):
    """The layers of `layer_order`, one after the other, named by their letters.

    l the linear layer or convolution given, b batch norm, r ReLU, d dropout. Batch norm has the width at its place: the
    input's before `l`, the output's after it. The bias of `l` is kept, even where batch norm follows.
    Raises ValueError for an order that is not valid.
    """

    l: nn.Linear | nn.Conv2d  # noqa: E741 the letters are the names
    b: BatchNorm1d | BatchNorm2d
    r: nn.ReLU
    d: Dropout

    def __init__(
        self,
        layer_order: str,
        layer: nn.Linear | nn.Conv2d,
        *,
        drop_rate: float | Tensor,
        momentum: float | Tensor,
        eps: float,
        noise: NoiseSource | None = None,
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
                # In place on what `l` or `b` has made; before them, it would be the caller's tensor.
                children[letter] = nn.ReLU(inplace=not children.keys().isdisjoint("lb"))
            else:
                children[letter] = Dropout(drop_rate, noise=noise)
        super().__init__(children)
        # Layers that need no look at the whole batch between them share their passes over memory.
        self.runs = re.findall("l|b[rd]*|[rd]+", layer_order)

    def forward(self, x: Tensor, pool: MaxPool2d | None = None) -> Tensor:
        """x: float (N, width) for a linear layer, (N, width, H, W) for a convolution. pool: what comes behind."""
        *first, last = self.runs
        y = x
        for run in first:
            y = self._run(run, y)
        return self._run(last, y, pool)

    def _run(self, run: str, x: Tensor, pool: MaxPool2d | None = None) -> Tensor:
        rectify = "r" in run
        dropout = self.d if "d" in run and self.d.is_active else None
        if "b" in run:
            return self.b.run(x, rectify=rectify, dropout=dropout, pool=pool)
        if run == "l":
            y = self.l(x)
        elif dropout is not None:
            y = pointwise_run(x, rectify=rectify, dropout=dropout)[0]
        else:
            y = self.r(x) if rectify else x
        return y if pool is None else pool(y)
