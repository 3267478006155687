"""Dropout against the formula of F.dropout under the same mask, and its statistics."""

import random
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sweep.models import Dropout


class Seeded:
    """The noise of a seed; `drawn` counts the values given out."""

    def __init__(self, seed: int = 0) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self.drawn = 0

    def __call__(self, count: int) -> Tensor:
        self.drawn += count
        return torch.randint(-(2**15), 2**15, (count,), dtype=torch.int16, generator=self._generator)


def values(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_200_random_cases_agree_with_the_formula_forward_and_backward() -> None:
    for seed in range(200):
        draw = random.Random(seed)
        shape = tuple(draw.randint(1, 12) for _ in range(draw.choice([2, 4])))
        p = draw.uniform(0.0, 0.95)
        x, dy = (values(shape, seed) + 3).requires_grad_(), values(shape, seed + 1)
        y = Dropout(p, Seeded(seed))(x)
        (dx,) = torch.autograd.grad(y, x, dy)
        # The mask, drawn again as documented: u in the order (N, ..., C), kept where u >= p, both in 65536 steps.
        n, c, *places = shape
        rate = round(p * 65536) / 65536
        u = (Seeded(seed)(x.numel()).double() + 2**15) / 65536
        keep = (u >= rate).view(n, *places, c).movedim(-1, 1)
        torch.testing.assert_close(y, x * keep / (1 - rate), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(dx, dy * keep / (1 - rate), rtol=1e-12, atol=1e-12)


def test_kept_values_are_scaled_as_torchs_dropout_scales_them() -> None:
    x = values((50, 40), 0).abs() + 1
    ours, torchs = Dropout(0.25, Seeded(1))(x), F.dropout(x, 0.25)
    both = (ours != 0) & (torchs != 0)
    assert both.float().mean() > 0.3
    torch.testing.assert_close(ours[both], torchs[both], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("p", [0.05, 0.25, 0.5, 0.9])
def test_dropout_keeps_the_mean_within_four_sigma(p: float) -> None:
    n = 400_000
    y = Dropout(p, Seeded(7))(torch.ones(1000, 400, dtype=torch.float64))
    sigma_of_the_mean = (p / (1 - p) / n) ** 0.5
    assert abs(y.mean().item() - 1) < 4 * sigma_of_the_mean
    assert y.unique().tolist() == pytest.approx([0.0, 1 / (1 - p)], rel=1e-3)
    sigma_of_the_rate = (p * (1 - p) / n) ** 0.5
    assert abs((y == 0).double().mean().item() - p) < 4 * sigma_of_the_rate


def test_evaluation_is_the_identity_and_draws_nothing() -> None:
    noise = Seeded()
    x = torch.randn(4, 5)
    assert Dropout(0.5, noise).eval()(x) is x
    assert Dropout(0.0, noise)(x) is x
    assert noise.drawn == 0


def test_a_higher_rate_drops_all_that_a_lower_rate_drops() -> None:
    x = torch.ones(64, 33, 4, 4)
    kept = [Dropout(p, Seeded(3))(x) != 0 for p in (0.1, 0.25, 0.6)]
    for low, high in pairwise(kept):
        assert (high <= low).all()
        assert high.sum() < low.sum()


@pytest.mark.parametrize("p", [0.0, 0.4])
def test_the_rate_may_be_a_tensor(p: float) -> None:
    x = torch.randn(8, 6, 3, 3)
    by_tensor = Dropout(torch.tensor(p), Seeded(4))(x)
    torch.testing.assert_close(by_tensor, Dropout(p, Seeded(4))(x), rtol=1e-6, atol=0)


def test_channels_last_gives_the_same_values_and_stays_channels_last() -> None:
    x = torch.randn(5, 6, 4, 3)
    x_last = x.contiguous(memory_format=torch.channels_last)
    y, y_last = Dropout(0.4, Seeded(5))(x), Dropout(0.4, Seeded(5))(x_last)
    assert y.is_contiguous()
    assert y_last.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(y_last, y, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_mask_is_the_same_for_every_dtype(dtype: torch.dtype) -> None:
    y = Dropout(0.3, Seeded(6))(torch.ones(2000, 300, dtype=dtype))
    assert y.dtype == dtype
    assert torch.equal(y != 0, Dropout(0.3, Seeded(6))(torch.ones(2000, 300)) != 0)


def test_equal_seeds_give_equal_masks_and_later_calls_give_others() -> None:
    def two_calls(seed: int) -> tuple[Tensor, Tensor]:
        dropout, x = Dropout(0.5, Seeded(seed)), torch.ones(10, 20)
        return dropout(x), dropout(x)

    (first, second), (first_again, second_again) = two_calls(1), two_calls(1)
    assert torch.equal(first, first_again)
    assert torch.equal(second, second_again)
    assert not torch.equal(first, second)
    assert not torch.equal(first, two_calls(2)[0])


def test_the_gradient_passes_gradcheck() -> None:
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: Dropout(0.5, Seeded(8))(x), (x,))


def test_without_a_source_torchs_generator_is_used() -> None:
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(Dropout(0.5)(torch.ones(10, 20)))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


def test_a_rate_next_to_one_keeps_the_mean_finite() -> None:
    y = Dropout(0.999999, Seeded(9))(torch.ones(1000, 400, dtype=torch.float64))
    assert set(y.unique().tolist()) == {0.0, 65536.0}


@pytest.mark.parametrize("p", [-0.1, 1.0, 1, float("nan")])
def test_a_wrong_rate_is_named_with_what_is_allowed(p: float) -> None:
    with pytest.raises(ValueError, match=rf"Dropout: p is {p}; it must be in \[0, 1\)"):
        Dropout(p)
