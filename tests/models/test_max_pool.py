"""Our max-pool against torch's."""

import random

import pytest
import torch
import torch.nn.functional as F

from sweep.models.max_pool import MaxPool2d


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_100_random_cases_give_torchs_values_and_gradients(dtype: torch.dtype) -> None:
    for seed in range(100):
        draw = random.Random(seed)
        shape = (draw.randint(1, 5), draw.randint(1, 20), draw.randint(2, 11), draw.randint(2, 11))
        # Whole numbers: many windows have their maximum twice, and the gradient goes to the first one.
        x = torch.randint(-3, 4, shape, generator=torch.Generator().manual_seed(seed)).to(dtype)
        if draw.random() < 0.5:
            x = x.contiguous(memory_format=torch.channels_last)
        x.requires_grad_()
        mine, reference = MaxPool2d()(x), F.max_pool2d(x, 2)
        assert torch.equal(mine, reference)
        dy = torch.randn(mine.shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))
        (got,), (wanted,) = (torch.autograd.grad(y, x, dy) for y in (mine, reference))
        assert torch.equal(got, wanted)


@pytest.mark.parametrize("place", range(4))
def test_what_is_not_a_number_is_the_maximum(place: int) -> None:
    x = torch.ones(1, 3, 2, 2)
    x[0, 1, place // 2, place % 2] = float("nan")
    assert MaxPool2d()(x).flatten().isnan().tolist() == [False, True, False]


def test_half_precision_stays_so() -> None:
    assert MaxPool2d()(torch.ones(1, 2, 4, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16
