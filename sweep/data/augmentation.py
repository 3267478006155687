"""Random crop, flip and colour jitter on tensors, a batch at a time, each image with its own draw.

Measured on one thread of a 2-core AMD EPYC, batches of 100 out of 50,000 uint8 images, normalised float32 out, medians
of 60 batches in two runs, images/s: crop and flip 261 k and 333 k, with all colour changes 137 k and 178 k.

Shapes: N images, C = 3 channels, H, W.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sweep.data.colour import GREY_WEIGHTS, adjust_brightness, adjust_contrast, adjust_hue, adjust_saturation
from sweep.kernels import augmentation as kernels


@dataclass(frozen=True)
class Augmentation:
    """How strongly images are changed; every strength 0 means unchanged.

    crop_padding: zero pixels added on each side before a crop back to the image's own size.
    flip_prob: probability of a horizontal flip.
    brightness, contrast, saturation in [0, 1]: the factor is uniform in [1 - s, 1 + s].
    hue in [0, 0.5]: the shift is uniform in [-h, h], in turns of the colour circle.
    Raises ValueError for a strength outside its range.
    """

    crop_padding: int = 0
    flip_prob: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.crop_padding, int) or self.crop_padding < 0:
            raise ValueError(f"crop_padding: got {self.crop_padding!r}; it is a whole number of pixels, 0 or more")
        for name, high in (("flip_prob", 1), ("brightness", 1), ("contrast", 1), ("saturation", 1), ("hue", 0.5)):
            if not 0 <= getattr(self, name) <= high:
                raise ValueError(f"{name}: got {getattr(self, name)!r}; it lies in [0, {high}]")

    @cached_property  # it is asked for at each step
    def is_identity(self) -> bool:
        """True if no image would be changed."""
        return self == Augmentation()

    @property
    def reads_back(self) -> bool:
        """True if `apply` waits for a value that was drawn: the order of the colour operations, where it matters."""
        return sum(strength > 0 for strength in self.colours) > 1

    @property
    def colours(self) -> tuple[float, ...]:
        """The strengths of the colour operations, by number."""
        return self.brightness, self.contrast, self.saturation, self.hue


class Draw(NamedTuple):
    """One batch's random parameters. None stands for an operation of strength 0, which `apply` skips.

    dy, dx: int64 (N,), the crop's top left corner in the padded image, in [0, 2 * crop_padding].
    flip: bool (N,). brightness, contrast, saturation: float32 (N,) factors. hue: float32 (N,) shifts in turns.
    order: int64 (4,), a permutation of the colour operations (0 brightness, 1 contrast, 2 saturation, 3 hue).
    It is shared by the batch, so that a GPU runs them on whole tensors. Seen over batches, the order of one image is
    uniform over all 24 and independent of its factors: its law is that of torchvision's ColorJitter. Only the orders
    of two images of the same batch depend on each other.
    """

    dy: Tensor | None
    dx: Tensor | None
    flip: Tensor | None
    brightness: Tensor | None
    contrast: Tensor | None
    saturation: Tensor | None
    hue: Tensor | None
    order: Tensor

    @property
    def colours(self) -> tuple[Tensor | None, ...]:
        """The parameters of the colour operations, by number."""
        return self.brightness, self.contrast, self.saturation, self.hue


def draw(augmentation: Augmentation, n: int, generator: torch.Generator, device: torch.device | str) -> Draw:
    """Draw the parameters for n images.

    The generator lives on `device`. It always gives the same 7n + 4 uniforms, in the same
    places, and the strengths only scale them: two configurations that share a seed share their luck (common random
    numbers).
    """
    uniforms = _uniforms(n, generator, device)
    u_7N = uniforms[: 7 * n].view(7, n)
    a = augmentation
    dy, dx = (None, None) if a.crop_padding == 0 else _offsets(u_7N[:2], a.crop_padding)
    brightness, contrast, saturation, hue = (
        None if strength == 0 else (strength * signed_N).add_(centre)
        for signed_N, centre, strength in zip(2 * u_7N[3:] - 1, (1, 1, 1, 0), a.colours, strict=True)
    )
    return Draw(
        dy=dy,
        dx=dx,
        flip=None if a.flip_prob == 0 else u_7N[2] < a.flip_prob,
        brightness=brightness,
        contrast=contrast,
        saturation=saturation,
        hue=hue,
        order=uniforms[7 * n :].argsort(),
    )


def apply(images_NCHW: Tensor, draw: Draw, padding: int) -> Tensor:
    """Crop and flip as uint8, then scale to [0, 1] and change the colours.

    images_NCHW: uint8 (N, 3, H, W), left as it is; padding: the crop_padding the draw was made with.
    Returns float32 (N, 3, H, W) in [0, 1]. Image by image it equals torchvision's pad, crop, horizontal_flip,
    adjust_brightness, adjust_contrast, adjust_saturation and adjust_hue with the drawn parameters.
    Raises ValueError unless the images are uint8 of that shape, and as many as the draw is for.
    """
    _check(images_NCHW)
    n = len(images_NCHW)
    for parameter in (draw.dy, draw.dx, draw.flip, *draw.colours):
        if parameter is not None and len(parameter) != n:
            raise ValueError(f"draw: made for {len(parameter)} images, got {n}; draw for as many as there are")
    order = [i for i, parameter in enumerate(draw.colours) if parameter is not None]
    if len(order) > 1:  # reading the order makes a GPU wait, so only where it matters
        order = [i for i in draw.order.tolist() if i in order]
    x = _crop_and_flip(images_NCHW, draw, padding).float().div_(255)
    operations = (adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue)
    for i in order:
        parameter = draw.colours[i]
        assert parameter is not None
        x = operations[i](x, parameter)
    return x


def augment(
    images_MCHW: Tensor,
    index_N: Tensor,
    augmentation: Augmentation,
    generator: torch.Generator,
    *,
    mean_C: Tensor,
    std_C: Tensor,
    as_pixels: bool = False,
) -> Tensor:
    """Normalised copies of the images at index_N as `apply` changes them by what `draw` draws: float32 (N, C, H, W).

    images_MCHW: uint8, with C = 3; index_N: int64; mean_C, std_C: float32, in [0, 1] pixel units. All of them and the
    generator are on one device. On a CPU one compiled loop, equal up to rounding. as_pixels: there, not normalised but
    rounded to pixels of 8 bits again, as int16, pixel - 128. Raises ValueError as `apply` does.
    """
    _check(images_MCHW)
    if images_MCHW.device.type != "cpu":
        drawn = draw(augmentation, len(index_N), generator, images_MCHW.device)
        x_NCHW = apply(images_MCHW.index_select(0, index_N), drawn, augmentation.crop_padding)
        return x_NCHW.sub_(mean_C.view(-1, 1, 1)).div_(std_C.view(-1, 1, 1))
    n = len(index_N)
    uniforms = _uniforms(n, generator, "cpu").numpy()
    x_NCHW = torch.empty(n, *images_MCHW.shape[1:], dtype=torch.int16 if as_pixels else torch.float32)
    change = (
        images_MCHW.numpy(),
        index_N.numpy(),
        uniforms[: 7 * n].reshape(7, n),
        augmentation.crop_padding,
        float(augmentation.flip_prob),
        np.array(augmentation.colours, dtype=np.float32),
        uniforms[7 * n :].argsort(),
        np.array(GREY_WEIGHTS, dtype=np.float32),
    )
    if as_pixels:
        kernels.augment_pixels(*change, x_NCHW.numpy())
    else:
        kernels.augment(*change, mean_C.numpy(), std_C.numpy(), x_NCHW.numpy())
    return x_NCHW


def _check(images_NCHW: Tensor) -> None:
    if images_NCHW.dtype != torch.uint8 or images_NCHW.ndim != 4 or images_NCHW.shape[1] != 3:
        raise ValueError(
            f"images: got {images_NCHW.dtype} of shape {tuple(images_NCHW.shape)}; they must be uint8 (N, 3, H, W)"
        )


def _uniforms(n: int, generator: torch.Generator, device: torch.device | str) -> Tensor:
    return torch.rand(7 * n + 4, generator=generator, device=device)


def _offsets(u_2N: Tensor, padding: int) -> Tensor:
    # u < 1, but u * (2 * padding + 1) can round up to the excluded end
    return (u_2N * (2 * padding + 1)).long().clamp_(max=2 * padding)


def _crop_and_flip(images_NCHW: Tensor, draw: Draw, padding: int) -> Tensor:
    """Both at once: pixel (y, x) of the result is (dy + y, dx + x or dx + W-1-x) of the zero-padded image."""
    if draw.dy is None and draw.flip is None:
        return images_NCHW
    n, c, h, w = images_NCHW.shape
    device = images_NCHW.device
    wide = w + 2 * padding
    padded_NCHW = images_NCHW.new_zeros((n, c, h + 2 * padding, wide))
    padded_NCHW[:, :, padding : padding + h, padding : padding + w] = images_NCHW

    y_NH = torch.arange(h, device=device).expand(n, h)
    x_NW = torch.arange(w, device=device).expand(n, w)
    if draw.flip is not None:
        x_NW = torch.where(draw.flip[:, None], w - 1 - x_NW, x_NW)
    if draw.dy is not None and draw.dx is not None:
        y_NH, x_NW = y_NH + draw.dy[:, None], x_NW + draw.dx[:, None]
    # One gather per image over its flat pixels: twice as fast as a crop followed by torch.where for the flip.
    source_N1P = (y_NH[:, :, None] * wide + x_NW[:, None, :]).view(n, 1, h * w)
    return padded_NCHW.flatten(2).gather(2, source_N1P.expand(n, c, h * w)).view(n, c, h, w)
