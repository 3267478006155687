"""Batches of images on the training device, from uint8 pixels to what a network takes.

Shapes: N images of the data set, B of a batch, C channels, H height, W width.
"""

import warnings
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from sweep.data.augmentation import Augmentation, augment


class ImageBatches:
    """A data set's images as uint8, gathered, augmented and normalised a batch at a time.

    On a CPU the pixels stay the memory-mapped file that all trials of the machine share; on a GPU they are copied there
    once and stay there.
    """

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
        self._mean_C11 = torch.tensor(mean, device=device).view(3, 1, 1)
        self._std_C11 = torch.tensor(std, device=device).view(3, 1, 1)

    def augmented(
        self, index_B: Tensor, augmentation: Augmentation, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """The images and labels at `index_B` (int64, on the device): float (B, 3, H, W) normalised, int64 (B,)."""
        pixels_BCHW, labels_B = self._gather(index_B)
        if augmentation.is_identity:
            return self._normalise_uint8(pixels_BCHW), labels_B
        return augment(pixels_BCHW, augmentation, generator).sub_(self._mean_C11).div_(self._std_C11), labels_B

    def clean(self, index_N: Tensor, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images at `index_N` in order, unchanged but for the normalisation, `batch_size` at a time."""
        for index_B in index_N.split(batch_size):
            pixels_BCHW, labels_B = self._gather(index_B)
            yield self._normalise_uint8(pixels_BCHW), labels_B

    def _gather(self, index_B: Tensor) -> tuple[Tensor, Tensor]:
        return self.images_NCHW.index_select(0, index_B), self.labels_N.index_select(0, index_B)

    def _normalise_uint8(self, pixels_BCHW: Tensor) -> Tensor:
        # In units of 1/255, which saves a pass over the pixels.
        return pixels_BCHW.float().sub_(255 * self._mean_C11).div_(255 * self._std_C11)
