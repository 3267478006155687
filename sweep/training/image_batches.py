"""Batches of images on the training device, from uint8 pixels to what a network takes.

Shapes: N images of the data set, B of a batch, C channels, H height, W width.
"""

import warnings
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from sweep.data.augmentation import Augmentation, augment
from sweep.kernels.pixels import gather_centred, gather_normalised


class ImageBatches:
    """A data set's images as uint8, gathered, augmented and normalised a batch at a time.

    On a CPU the pixels stay the memory-mapped file that all trials of the machine share; on a GPU they are copied there
    once and stay there.
    """

    # Whether images are given as int16, pixel - 128, not normalised; on a CPU.
    as_pixels = False

    def __init__(
        self,
        images_NCHW: np.ndarray,
        labels_N: np.ndarray,
        *,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        device: torch.device,
    ) -> None:
        """images_NCHW: uint8 (N, 3, H, W); labels_N: int64 (N,); mean, std: per channel, in [0, 1] pixel units."""
        with warnings.catch_warnings():
            # torch warns that the mapped file is read-only; nothing here writes to it.
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            self.images_NCHW = torch.from_numpy(images_NCHW).to(device)
            self.labels_N = torch.from_numpy(labels_N).to(device)
        self.device = device
        self._mean_C = torch.tensor(mean, device=device)
        self._std_C = torch.tensor(std, device=device)
        # In units of a uint8, which saves a pass over the pixels.
        self._pixel_mean_C, self._pixel_std_C = 255 * self._mean_C, 255 * self._std_C
        if device.type == "cpu":
            self._arrays = self.images_NCHW.flatten(2).numpy(), self.labels_N.numpy()
            self._normalisation = self._pixel_mean_C.numpy(), self._pixel_std_C.numpy()

    def augmented(
        self, index_B: Tensor, augmentation: Augmentation, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """The images and labels at `index_B` (int64, on the device): (B, 3, H, W), float normalised, or as pixels;
        int64 (B,).
        """
        if augmentation.is_identity:
            return self._unchanged(index_B)
        x_BCHW = augment(
            self.images_NCHW,
            index_B,
            augmentation,
            generator,
            mean_C=self._mean_C,
            std_C=self._std_C,
            as_pixels=self.as_pixels,
        )
        return x_BCHW, self.labels_N.index_select(0, index_B)

    @property
    def pixel_scale(self) -> tuple[Tensor, Tensor]:
        """slope_C, shift_C (float32): slope * (pixel - 128) + shift is the normalised pixel."""
        return 1 / self._pixel_std_C, (128 - self._pixel_mean_C) / self._pixel_std_C

    def on_cpu(self, index_B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The images at `index_B`, unchanged, as arrays: float32 normalised (B, 3, H*W), or as pixels; int64 (B,)."""
        kind = np.int16 if self.as_pixels else np.float32
        x_BCP, y_B = np.empty((len(index_B), *self._arrays[0].shape[1:]), kind), np.empty(len(index_B), np.int64)
        if self.as_pixels:
            gather_centred(*self._arrays, index_B, x_BCP, y_B)
        else:
            gather_normalised(*self._arrays, index_B, *self._normalisation, x_BCP, y_B)
        return x_BCP, y_B

    def clean(self, index_N: Tensor, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images at `index_N` in order, unchanged: normalised, or as pixels. `batch_size` at a time."""
        return map(self._unchanged, index_N.split(batch_size))

    def _unchanged(self, index_B: Tensor) -> tuple[Tensor, Tensor]:
        if self.device.type == "cpu":
            x, y = map(torch.from_numpy, self.on_cpu(index_B.numpy()))
            return x.view(-1, *self.images_NCHW.shape[1:]), y
        x_BCHW = self.images_NCHW.index_select(0, index_B).float()
        x_BCHW.sub_(self._pixel_mean_C.view(-1, 1, 1)).div_(self._pixel_std_C.view(-1, 1, 1))
        return x_BCHW, self.labels_N.index_select(0, index_B)
