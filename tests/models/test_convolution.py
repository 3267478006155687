"""Our convolution, by Winograd's tiles and otherwise, against torch's."""

import random

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sweep.models import convolution
from sweep.models.convolution import Conv2d, ConvolutionByTiles


def values(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed)).requires_grad_()


@pytest.fixture
def by_tiles(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of the inputs that were computed by tiles."""
    shapes: list[tuple[int, ...]] = []
    apply = ConvolutionByTiles.apply

    def noted(x: Tensor, *others: Tensor) -> Tensor:
        shapes.append(tuple(x.shape))
        return apply(x, *others)

    monkeypatch.setattr(ConvolutionByTiles, "apply", noted)
    return shapes


@pytest.mark.parametrize("workspace", [1, 100_000, 2**20])
def test_100_random_cases_agree_with_torch_forward_and_backward(
    workspace: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convolution, "WORKSPACE_BYTES", workspace)  # one image at a time, a few, many
    for seed in range(100):
        draw = random.Random(seed)
        n, c, k, height, width = (draw.randint(1, most) for most in (7, 20, 20, 18, 18))
        x, weight, bias = values(n, c, height, width, seed=seed), values(k, c, 3, 3, seed=seed), values(k, seed=seed)
        dy = values(n, k, height, width, seed=seed + 1)
        if draw.random() < 0.5:
            x = x.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
        mine, reference = ConvolutionByTiles.apply(x, weight, bias), F.conv2d(x, weight, bias, padding=1)
        torch.testing.assert_close(mine, reference, rtol=1e-11, atol=1e-11)
        for got, wanted in zip(
            *(torch.autograd.grad(y, (x, weight, bias), dy) for y in (mine, reference)), strict=True
        ):
            torch.testing.assert_close(got, wanted, rtol=1e-11, atol=1e-10)


def test_in_float32_it_is_exact_to_1e_5_of_the_largest_output(by_tiles: list[tuple[int, ...]]) -> None:
    torch.manual_seed(0)
    layer = Conv2d(32, 64, 3)
    x, dy = values(50, 32, 16, 16, dtype=torch.float32), values(50, 64, 16, 16, dtype=torch.float32)
    y = layer(x)
    exact = F.conv2d(x.double(), layer.weight.double(), layer.bias.double(), padding=1)
    assert by_tiles == [(50, 32, 16, 16)]
    for got, wanted in zip(
        (y, *torch.autograd.grad(y, (x, layer.weight, layer.bias), dy)),
        (exact, *torch.autograd.grad(exact, (x, layer.weight, layer.bias), dy.double())),
        strict=True,
    ):
        assert got.dtype == torch.float32
        assert (got - wanted).abs().max() < 1e-5 * wanted.abs().max()


@pytest.mark.parametrize(
    ("sizes", "kernel_size", "dtype", "image", "expected"),
    [
        ((32, 32), 3, torch.float32, (8, 8), True),
        ((32, 32), 3, torch.float32, (7, 30), True),
        ((32, 32), 3, torch.float64, (8, 8), False),
        ((31, 32), 3, torch.float32, (8, 8), False),
        ((32, 32), 5, torch.float32, (8, 8), False),
        ((32, 32), 3, torch.float32, (5, 5), False),
    ],
)
def test_tiles_are_taken_where_they_pay(
    sizes: tuple[int, int],
    kernel_size: int,
    dtype: torch.dtype,
    image: tuple[int, int],
    expected: bool,
    by_tiles: list[tuple[int, ...]],
) -> None:
    x = values(3, sizes[0], *image, dtype=dtype)
    layer = Conv2d(*sizes, kernel_size).to(dtype)
    reference = F.conv2d(x, layer.weight, layer.bias, padding=kernel_size // 2)
    torch.testing.assert_close(layer(x), reference, rtol=1e-4, atol=1e-5)
    assert bool(by_tiles) == expected


def test_an_input_with_another_number_of_channels_is_refused() -> None:
    with pytest.raises(RuntimeError, match="to have 32 channels, but got 48"):
        Conv2d(32, 32, 3)(torch.zeros(2, 48, 8, 8))


def test_autocast_leaves_the_convolution_to_torch(by_tiles: list[tuple[int, ...]]) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert Conv2d(32, 32, 3)(values(2, 32, 8, 8, dtype=torch.float32)).dtype == torch.bfloat16
    assert not by_tiles


def test_an_image_does_not_depend_on_the_others_of_its_batch() -> None:
    layer, x = Conv2d(32, 40, 3), values(30, 32, 9, 12, dtype=torch.float32)
    assert torch.equal(layer(x)[17:18], layer(x[17:18]))


def test_what_is_not_a_number_shows_in_its_neighbourhood() -> None:
    x = torch.zeros(1, 32, 8, 8)
    x[0, 3, 2, 2] = float("nan")
    assert Conv2d(32, 32, 3)(x)[0, :, 1:4, 1:4].isnan().all()


def test_inputs_that_need_no_gradient_get_none() -> None:
    layer, x = Conv2d(32, 32, 3), torch.randn(2, 32, 8, 8)
    layer(x).sum().backward()
    reference = nn.Conv2d(32, 32, 3, padding=1)
    reference.load_state_dict(layer.state_dict())
    reference(x).sum().backward()
    assert x.grad is None
    torch.testing.assert_close(layer.weight.grad, reference.weight.grad, rtol=1e-4, atol=1e-4)
