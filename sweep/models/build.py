"""From a configuration to a network."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from search_spaces.model_args import check_model_args
from sweep.models.cnn import CNN
from sweep.models.dropout import NoiseSource
from sweep.models.errors import ShapeError
from sweep.models.mlp import MLP

Network = MLP | CNN
NETWORKS: dict[str, Callable[..., Network]] = {"mlp": MLP, "cnn": CNN}


def build_model(
    model: str,
    *,
    image_shape: Sequence[int] = (3, 32, 32),
    num_classes: int,
    layer_order: str,
    drop_rate: float | Tensor,
    momentum: float | Tensor,
    eps: float,
    noise: NoiseSource | None = None,
    **model_args: Any,
) -> Network:
    """The network `model` ("mlp" or "cnn") with its blocks in `layer_order`; it takes (N, *image_shape) to logits.

    model_args: for mlp `hidden` ([512]); for cnn `channels` ([32, 64]) and `kernel_size` (3).
    Initial weights come from torch's global generator: seed it first. `noise` is what dropout draws from.
    Raises ValueError (ShapeError where it is about the images) with what was got and what is allowed.
    """
    arguments = check_model_args(model, model_args)
    if len(image_shape) != 3 or min(image_shape) < 1:
        raise ShapeError(f"image_shape: got {tuple(image_shape)}, wanted (channels, height, width), each at least 1")
    if num_classes < 1:
        raise ValueError(f"num_classes: {num_classes} is below 1; give the number of classes of the dataset")
    return NETWORKS[model](
        image_shape=image_shape,
        num_classes=num_classes,
        layer_order=layer_order,
        drop_rate=drop_rate,
        momentum=momentum,
        eps=eps,
        noise=noise,
        **arguments,
    )
