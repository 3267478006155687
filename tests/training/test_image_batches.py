"""Batches of images, from pixels to what a network takes."""

import numpy as np
import pytest
import torch

from sweep.data.augmentation import Augmentation
from sweep.training.image_batches import ImageBatches

MEAN, STD = (0.1, 0.5, 0.9), (0.5, 0.25, 0.125)


def test_without_augmentation_images_are_normalised_and_nothing_is_drawn() -> None:
    pixels_NCHW = np.random.default_rng(0).integers(0, 256, (30, 3, 5, 7)).astype(np.uint8)
    images = ImageBatches(pixels_NCHW, np.arange(30), mean=MEAN, std=STD, device=torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    index = torch.tensor([3, 29, 0, 3])
    x, y = images.augmented(index, Augmentation(), generator)
    mean, std = (np.array(values, dtype=np.float64).reshape(3, 1, 1) for values in (MEAN, STD))
    np.testing.assert_allclose(x.numpy(), (pixels_NCHW[index] / 255 - mean) / std, rtol=1e-5, atol=1e-6)
    assert y.tolist() == index.tolist()
    assert torch.equal(generator.get_state(), before)
    in_parts = list(images.clean(index, 3))
    assert torch.equal(torch.cat([x for x, _ in in_parts]), x)
    assert [len(y) for _, y in in_parts] == [3, 1]


@pytest.mark.parametrize("augmentation", [Augmentation(), Augmentation(crop_padding=2, flip_prob=0.5, hue=0.2)])
def test_as_pixels_they_stand_for_what_is_normalised(augmentation: Augmentation) -> None:
    pixels_NCHW = np.random.default_rng(0).integers(0, 256, (30, 3, 6, 6)).astype(np.uint8)
    images = ImageBatches(pixels_NCHW, np.arange(30), mean=MEAN, std=STD, device=torch.device("cpu"))
    index = torch.arange(29, -1, -1)
    x, y = images.augmented(index, augmentation, torch.Generator().manual_seed(0))
    images.as_pixels = True
    p, same_y = images.augmented(index, augmentation, torch.Generator().manual_seed(0))
    assert p.dtype == torch.int16
    assert torch.equal(y, same_y)
    slope, shift = (each.view(3, 1, 1) for each in images.pixel_scale)
    off = ((slope * p + shift - x) / slope).abs().max()  # in pixels
    assert off < (1e-3 if augmentation.is_identity else 0.501)
    (clean, _), *_ = images.clean(index, 30)
    assert torch.equal(clean, torch.from_numpy(pixels_NCHW)[index].to(torch.int16) - 128)


@pytest.mark.parametrize("as_pixels", [False, True])
@pytest.mark.parametrize("index", [-1, 30])
@pytest.mark.parametrize("augmentation", [Augmentation(), Augmentation(flip_prob=0.5)])
def test_an_image_that_there_is_not_is_named(index: int, augmentation: Augmentation, as_pixels: bool) -> None:
    images = ImageBatches(
        np.zeros((30, 3, 8, 8), np.uint8), np.arange(30), mean=MEAN, std=STD, device=torch.device("cpu")
    )
    images.as_pixels = as_pixels
    with pytest.raises(IndexError, match=rf"^image {index} is out of bounds; allowed are 0 to 29$"):
        images.augmented(torch.tensor([3, index]), augmentation, torch.Generator())
