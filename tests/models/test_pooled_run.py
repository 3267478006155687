"""Batch norm, ReLU, dropout and max-pool in one pass against one after the other."""

import random

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sweep.models import BatchNorm2d, Block, Dropout
from sweep.models.convolution import Conv2d
from sweep.models.max_pool import MaxPool2d
from sweep.models.pooled_run import PooledRun
from sweep.training.noise import Noise


def seeded_noise() -> Noise:
    noise = Noise(torch.device("cpu"))
    noise.seed(1)
    return noise


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("rectify", [True, False])
@pytest.mark.parametrize("p", [0.0, 0.4])
def test_random_cases_agree_with_one_after_the_other(affine: bool, rectify: bool, p: float) -> None:
    for seed in range(40):
        draw, generator = random.Random(seed), torch.Generator().manual_seed(seed)
        n, c, height, width = draw.randint(1, 6), draw.randint(1, 20), draw.randint(2, 9), draw.randint(2, 9)
        x = (3 * torch.randn(n, c, height, width, dtype=torch.float64, generator=generator) + 1).requires_grad_()
        dy = torch.randn(n, c, height // 2, width // 2, dtype=torch.float64, generator=generator)
        results = []
        for pooled in (True, False):
            norm = BatchNorm2d(c, affine=affine).double()
            if affine:
                with torch.no_grad():
                    norm.weight.copy_(torch.linspace(-1, 2, c))
                    norm.bias.copy_(torch.linspace(1, -1, c))
            dropout = Dropout(p, seeded_noise()) if p else None
            pool = MaxPool2d() if pooled else None
            y = norm.run(x, rectify=rectify, dropout=dropout, pool=pool)
            y = y if pooled else F.max_pool2d(y, 2)
            results.append([y, *torch.autograd.grad(y, [x, *norm.parameters()], dy), *norm.buffers()])
        for together, apart in zip(*results, strict=True):
            torch.testing.assert_close(together, apart, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("rectify", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_evaluation_without_a_gradient_agrees_with_one_after_the_other(rectify: bool, affine: bool) -> None:
    norm, x = BatchNorm2d(7, affine=affine).double(), torch.randn(4, 7, 5, 6, dtype=torch.float64)
    for _ in range(3):
        norm(x + 1)
    norm.eval()
    y = norm(x)
    wanted = F.max_pool2d(y.relu() if rectify else y, 2)
    with torch.inference_mode():
        torch.testing.assert_close(norm.run(x, rectify=rectify, pool=MaxPool2d()), wanted, rtol=1e-12, atol=1e-12)
    assert norm.run(x.requires_grad_(), rectify=rectify, pool=MaxPool2d()).requires_grad


def test_what_is_not_a_number_stays_so() -> None:
    x = torch.randn(3, 2, 4, 4)
    x[1, 0, 2, 3] = float("nan")
    y, mean_C, _ = PooledRun.apply(x, None, None, 1e-5, True, Dropout(0.5, seeded_noise()))
    assert mean_C.isnan().tolist() == [True, False]
    assert y[:, 0].isnan().all()
    assert y[:, 1].isfinite().all()


@pytest.mark.parametrize(("order", "fused"), [("lbrd", True), ("lrbd", True), ("blrd", False), ("brdl", False)])
def test_a_block_takes_one_pass_where_it_ends_with_a_batch_norm_and_what_follows_it(
    order: str, fused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    apply = PooledRun.apply

    def noted(x: Tensor, *others: object) -> object:
        calls.append(tuple(x.shape))
        return apply(x, *others)

    monkeypatch.setattr(PooledRun, "apply", noted)
    block = Block(order, Conv2d(3, 4, 3), drop_rate=0.3, momentum=0.1, eps=1e-5, noise=seeded_noise())
    assert block(torch.randn(2, 3, 6, 6), MaxPool2d()).shape == (2, 4, 3, 3)
    assert calls == ([(2, 4, 6, 6)] if fused else [])


def test_half_precision_goes_one_after_the_other() -> None:
    y = BatchNorm2d(3).run(torch.randn(2, 3, 4, 4).bfloat16(), rectify=True, pool=MaxPool2d())
    assert y.dtype == torch.bfloat16
    assert y.shape == (2, 3, 2, 2)


def test_no_images_give_none_and_too_small_ones_are_refused() -> None:
    norm = BatchNorm2d(3)
    with pytest.raises(RuntimeError, match="too small"):
        norm.run(torch.randn(2, 3, 1, 4), pool=MaxPool2d())
    assert norm.num_batches_tracked == 0
    norm.eval()
    with torch.inference_mode():
        assert norm.run(torch.zeros(0, 3, 4, 4), pool=MaxPool2d()).shape == (0, 3, 2, 2)
