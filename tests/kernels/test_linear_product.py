"""The forward product of a linear layer against torch's in float64."""

import random

import torch

from sweep.kernels import linear


def test_100_random_sizes_agree_with_torch() -> None:
    for seed in range(100):
        draw = random.Random(seed)
        batch, inputs, outputs = draw.randint(1, 150), draw.randint(8, 2000), draw.randint(1, 70)
        if seed % 20 == 0:
            batch, inputs = batch + 150, inputs + 8000  # more images than are taken at a time
        torch.manual_seed(seed)
        x, weight, bias = torch.randn(batch, inputs), torch.randn(outputs, inputs), torch.randn(outputs)
        y = torch.full((batch, outputs), float("nan"))
        linear.forward(x.numpy(), weight.numpy(), bias.numpy(), y.numpy())
        wanted = torch.nn.functional.linear(x.double(), weight.double(), bias.double())
        # A sum of so many products of variance 1 is about the root of their number large.
        assert (y - wanted).abs().max() < 1e-5 * inputs**0.5


def test_what_is_not_finite_stays_in_its_row_and_column() -> None:
    x, weight, bias = torch.randn(20, 50), torch.randn(30, 50), torch.zeros(30)
    x[7, 3] = float("inf")
    weight[11, 4] = float("nan")
    y = torch.empty(20, 30)
    linear.forward(x.numpy(), weight.numpy(), bias.numpy(), y.numpy())
    row, column = torch.arange(20)[:, None] == 7, torch.arange(30) == 11
    assert torch.equal(y.isfinite(), ~(row | column))
