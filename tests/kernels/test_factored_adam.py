"""Adam's step along a product against torch's product and torch's Adam."""

import random

import torch
from torch import Tensor

from sweep.kernels import factored_adam

BETA1, BETA2, EPS, LR = 0.9, 0.999, 1e-8, 0.01


def step(dy: Tensor, x: Tensor, weight: Tensor, mean: Tensor, square: Tensor, number: int, decay: float) -> None:
    factored_adam.step(
        *(tensor.numpy() for tensor in (dy, x, weight, mean, square)),
        decay,
        BETA1,
        BETA2,
        LR / (1 - BETA1**number),
        (1 - BETA2**number) ** -0.5,
        EPS,
    )


def test_60_random_sizes_agree_with_torch_over_three_steps() -> None:
    for seed in range(60):
        draw = random.Random(seed)
        batch, inputs, outputs = draw.randint(1, 150), draw.randint(1, 900), draw.randint(1, 70)
        if seed % 10 == 0:
            inputs += 3072  # more than are taken at a time
        decay = draw.choice([0.0, 0.1])
        torch.manual_seed(seed)
        weight = torch.randn(outputs, inputs)
        mean, square = torch.zeros_like(weight), torch.zeros_like(weight)
        theirs = weight.clone().requires_grad_()
        optimizer = torch.optim.Adam([theirs], lr=LR, weight_decay=decay)
        for number in (1, 2, 3):
            dy, x = torch.randn(batch, outputs), torch.randn(batch, inputs)
            theirs.grad = dy.t() @ x
            optimizer.step()
            step(dy, x, weight, mean, square, number, decay)
            state = optimizer.state[theirs]
            torch.testing.assert_close(mean, state["exp_avg"], rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(square, state["exp_avg_sq"], rtol=1e-4, atol=1e-6)
            # A step is lr long at most; where a gradient is nearly 0, its rounding decides which way it goes.
            assert (weight - theirs).abs().max() < 0.05 * LR
            theirs.data.copy_(weight)


def test_what_is_not_finite_stays_in_its_rows() -> None:
    dy, x, weight = torch.randn(20, 9), torch.randn(20, 50), torch.randn(9, 50)
    dy[3, 4] = float("nan")
    dy[5, 7] = float("inf")
    step(dy, x, weight, torch.zeros(9, 50), torch.zeros(9, 50), 1, 0.0)
    bad = weight.isnan().all(1)
    assert bad.tolist() == [row in (4, 7) for row in range(9)]
    assert weight[~bad].isfinite().all()
