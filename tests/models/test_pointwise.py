"""Batch norm, ReLU and dropout in one run: the compiled loops of a CPU against the operations that a GPU takes."""

from itertools import product

import pytest
import torch

from sweep.models import Dropout
from sweep.models.pointwise import CompiledRun, TorchRun
from sweep.training.noise import Noise


@pytest.mark.parametrize(("norm", "rectify", "drop"), list(product([True, False], repeat=3)))
@pytest.mark.parametrize(("rows", "features"), [(2, 1), (63, 5), (64, 48), (1000, 33)])
def test_compiled_loops_and_torchs_operations_agree(
    norm: bool, rectify: bool, drop: bool, rows: int, features: int
) -> None:
    torch.manual_seed(0)
    x, dy = torch.randn(2, rows, features, dtype=torch.float64)
    x = (3 * x + 20 * norm).requires_grad_()
    weight, bias = torch.randn(2, features, dtype=torch.float64).requires_grad_()
    results = []
    for run in (CompiledRun, TorchRun):
        noise = Noise(torch.device("cpu"))
        noise.seed(1)
        dropout = Dropout(0.3, noise) if drop else None
        y, mean, var = run.apply(x, *((weight, bias, 1e-3) if norm else (None, None, None)), rectify, dropout)
        grads = torch.autograd.grad(y, [x, weight, bias], dy, allow_unused=True)
        results.append([y, mean, var, *grads])
    for compiled, torchs in zip(*results, strict=True):
        assert (compiled is None) == (torchs is None)
        if compiled is not None:
            torch.testing.assert_close(compiled, torchs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("run", [CompiledRun, TorchRun])
def test_what_is_not_a_number_stays_so(run: type[torch.autograd.Function]) -> None:
    noise = Noise(torch.device("cpu"))
    noise.seed(1)
    x = torch.full((40, 3), float("nan"))
    assert run.apply(x, None, None, None, True, Dropout(0.5, noise))[0].isnan().all()
    assert run.apply(x, None, None, 1e-5, True, None)[0].isnan().all()
