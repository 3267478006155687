"""What a model can complain about."""

from collections.abc import Sequence

from torch import Tensor


class ShapeError(ValueError):
    """A tensor, image or block has a shape that the layer or network cannot take."""


def check_images(x_NCHW: Tensor, image_shape: Sequence[int]) -> None:
    """Raises ShapeError unless the batch consists of images of the shape that the network was built for."""
    if tuple(x_NCHW.shape[1:]) != tuple(image_shape):
        wanted = ", ".join(str(size) for size in image_shape)
        raise ShapeError(
            f"images: got shape {tuple(x_NCHW.shape)}, this network was built for (N, {wanted}); "
            f"resize the images or build it with another image_shape"
        )
