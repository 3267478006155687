from itertools import permutations

import pytest
import torch
import torchvision.transforms.v2.functional as reference
from torch import Tensor

from sweep.data.augmentation import Augmentation, apply, augment, draw
from sweep.data.colour import adjust_brightness, adjust_contrast, adjust_hue, adjust_saturation

FULL = Augmentation(crop_padding=4, flip_prob=0.5, brightness=0.2, contrast=0.2, saturation=0.2, hue=0.1)
STRONG = Augmentation(crop_padding=7, flip_prob=0.5, brightness=1.0, contrast=1.0, saturation=1.0, hue=0.5)
REFERENCE_COLOUR = (
    reference.adjust_brightness,
    reference.adjust_contrast,
    reference.adjust_saturation,
    reference.adjust_hue,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(n: int = 64, size: int = 32) -> Tensor:
    """Noise, and the colours where formulas break: black, white, greys, pure and two-channel colours."""
    images = torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8, generator=seeded(1))
    for i, colour in enumerate([(0, 0, 0), (255, 255, 255), (90, 90, 90), (255, 0, 0), (0, 255, 255), (7, 7, 8)]):
        images[i] = torch.tensor(colour, dtype=torch.uint8).view(3, 1, 1)
    images[6] = images[6, :1]
    images[7] = images[7] // 64 * 64  # many ties between channels
    return images


def by_loops(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """As a CPU does it."""
    in_order = torch.arange(len(images))
    return augment(images, in_order, augmentation, generator, mean_C=torch.zeros(3), std_C=torch.ones(3))


def by_torch(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """As a GPU does it."""
    return apply(images, draw(augmentation, len(images), generator, "cpu"), augmentation.crop_padding)


@pytest.mark.parametrize("way", [by_loops, by_torch])
@pytest.mark.parametrize("augmentation", [FULL, STRONG])
@pytest.mark.parametrize("seed", range(6))
def test_each_image_equals_torchvisions_operations_with_the_same_parameters(way, augmentation, seed):
    images = pictures()
    ours = way(images, augmentation, seeded(seed))
    drawn = draw(augmentation, len(images), seeded(seed), "cpu")
    colours = (drawn.brightness, drawn.contrast, drawn.saturation, drawn.hue)
    for i, image in enumerate(images):
        image = reference.pad(image, [augmentation.crop_padding])
        image = reference.crop(image, int(drawn.dy[i]), int(drawn.dx[i]), 32, 32)
        image = reference.horizontal_flip(image) if drawn.flip[i] else image
        image = image.float() / 255
        for operation in drawn.order.tolist():
            image = REFERENCE_COLOUR[operation](image, float(colours[operation][i]))
        assert (ours[i] - image).abs().max() < 1e-5, f"image {i}"


@pytest.mark.parametrize(
    ("ours", "theirs", "low", "high"),
    [
        (adjust_brightness, REFERENCE_COLOUR[0], 0, 2),
        (adjust_contrast, REFERENCE_COLOUR[1], 0, 2),
        (adjust_saturation, REFERENCE_COLOUR[2], 0, 2),
        (adjust_hue, REFERENCE_COLOUR[3], -0.5, 0.5),
    ],
)
def test_each_colour_change_equals_torchvisions_over_its_whole_range(ours, theirs, low, high):
    x = pictures(66).float() / 255
    parameters = torch.linspace(low, high, 66)
    for shifted in (parameters, parameters.flip(0), parameters.roll(33)):
        expected = torch.stack([theirs(image, float(p)) for image, p in zip(x, shifted, strict=True)])
        assert (ours(x.clone(), shifted) - expected).abs().max() < 1e-5


@pytest.mark.parametrize("way", [by_loops, by_torch])
@pytest.mark.parametrize("shape", [(5, 3, 32, 32), (1, 3, 8, 8), (3, 3, 6, 11), (0, 3, 32, 32)])
@pytest.mark.parametrize(
    "augmentation", [Augmentation(crop_padding=4), Augmentation(crop_padding=40), Augmentation(flip_prob=0.5), FULL]
)
def test_crop_and_flip_are_exact_for_any_size(way, shape, augmentation):
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=seeded())
    plain = Augmentation(crop_padding=augmentation.crop_padding, flip_prob=augmentation.flip_prob)
    ours = way(images, plain, seeded(5))
    drawn = draw(plain, len(images), seeded(5), "cpu")
    for i, image in enumerate(images):
        if drawn.dy is not None:
            image = reference.pad(image, [plain.crop_padding])
            image = reference.crop(image, int(drawn.dy[i]), int(drawn.dx[i]), *shape[2:])
        if drawn.flip is not None and drawn.flip[i]:
            image = image.flip(-1)
        assert torch.equal(ours[i], image.float() / 255)


def test_a_draw_for_other_images_is_refused():
    with pytest.raises(ValueError, match="draw: made for 5 images, got 64"):
        apply(pictures(), draw(Augmentation(flip_prob=0.5), 5, seeded(), "cpu"), 0)


@pytest.mark.parametrize("augmentation", [FULL, STRONG, Augmentation(brightness=0.3), Augmentation(hue=0.5)])
def test_augment_is_gather_draw_apply_and_normalise_and_leaves_its_input_alone(augmentation):
    images, index = pictures(), torch.randperm(64, generator=seeded(2))[:50]
    kept = images.clone()
    mean, std = torch.tensor([0.1, 0.5, 0.9]), torch.tensor([0.5, 0.25, 0.125])
    out = augment(images, index, augmentation, seeded(3), mean_C=mean, std_C=std)
    wanted = by_torch(images[index], augmentation, seeded(3))
    off = out * std.view(3, 1, 1) - (wanted - mean.view(3, 1, 1))
    assert off.abs().max() < 1e-5
    assert torch.equal(images, kept)
    assert out.dtype == torch.float32
    assert not torch.equal(out, augment(images, index, augmentation, seeded(4), mean_C=mean, std_C=std))


def test_two_configurations_with_one_seed_share_the_same_luck():
    full, strong, crop = (
        draw(a, 1000, seeded(9), "cpu") for a in (FULL, STRONG, Augmentation(crop_padding=4, flip_prob=0.25))
    )
    assert torch.equal(full.dy, crop.dy)
    assert torch.equal(full.dx, crop.dx)
    assert not (crop.flip & ~full.flip).any(), "flipped at 0.25 means flipped at 0.5"
    assert torch.allclose((full.brightness - 1) / 0.2, strong.brightness - 1, atol=1e-6)
    assert torch.allclose(full.hue / 0.1, strong.hue / 0.5, atol=1e-6)
    assert torch.equal(full.order, strong.order)
    assert crop.brightness is crop.contrast is crop.saturation is crop.hue is None


def test_offsets_are_uniform_on_every_corner():
    n = 81_000
    drawn = draw(FULL, n, seeded(), "cpu")
    counts = torch.bincount(drawn.dy * 9 + drawn.dx, minlength=81).float()
    assert len(counts) == 81
    # chi-squared with 80 degrees of freedom: mean 80, standard deviation 12.6
    assert ((counts - n / 81) ** 2 / (n / 81)).sum() < 80 + 4 * 12.6


def test_flips_come_as_often_as_asked_for():
    n = 100_000
    for probability in (0.1, 0.5):
        flips = draw(Augmentation(flip_prob=probability), n, seeded(), "cpu").flip.float().mean()
        assert abs(flips - probability) < 4 * (probability * (1 - probability) / n) ** 0.5
    assert draw(Augmentation(flip_prob=1.0), n, seeded(), "cpu").flip.all()


def test_factors_are_uniform_around_one_and_shifts_around_zero_and_unrelated():
    n = 100_000
    drawn = draw(FULL, n, seeded(), "cpu")
    rows = torch.stack([drawn.brightness - 1, drawn.contrast - 1, drawn.saturation - 1, 2 * drawn.hue])
    assert rows.abs().max() <= 0.2 + 1e-6
    sigma = 0.2 / 3**0.5
    assert (rows.mean(1).abs() < 4 * sigma / n**0.5).all()
    assert (rows.std(1) - sigma).abs().max() < 0.01 * sigma
    crops = torch.stack([drawn.dy, drawn.dx, drawn.flip]).float()
    correlation = torch.corrcoef(torch.cat([rows, crops])) - torch.eye(7)
    assert correlation.abs().max() < 5 / n**0.5


def test_every_order_of_the_colour_operations_comes_equally_often():
    generator = seeded()
    orders = [tuple(draw(FULL, 1, generator, "cpu").order.tolist()) for _ in range(4800)]
    counts = torch.tensor([orders.count(order) for order in permutations(range(4))]).float()
    # chi-squared with 23 degrees of freedom: mean 23, standard deviation 6.8
    assert ((counts - 200) ** 2 / 200).sum() < 23 + 4 * 6.8


@pytest.mark.parametrize(
    ("strength", "value"),
    [("crop_padding", -1), ("crop_padding", 1.5), ("flip_prob", 1.1), ("brightness", -0.1), ("hue", 0.6)],
)
def test_a_strength_out_of_range_is_an_error_that_names_it(strength, value):
    with pytest.raises(ValueError, match=f"{strength}: got {value}"):
        Augmentation(**{strength: value})


@pytest.mark.parametrize("way", [by_loops, by_torch])
def test_float_images_are_refused(way):
    with pytest.raises(ValueError, match=r"float32 of shape \(2, 3, 8, 8\)"):
        way(torch.zeros(2, 3, 8, 8), FULL, seeded())
