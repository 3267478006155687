"""Our batch norm against torch.nn's, in float64 to 1e-12."""

import random

import pytest
import torch
from torch import Tensor, nn

from sweep.models import BatchNorm1d, BatchNorm2d, ShapeError

KINDS = [(BatchNorm1d, nn.BatchNorm1d), (BatchNorm2d, nn.BatchNorm2d)]
CLOSE = {"rtol": 1e-12, "atol": 1e-12}


def random_case(kind: type, seed: int) -> tuple[tuple[int, ...], float, float]:
    """A shape of which a feature has at least two values, a momentum and an eps."""
    draw = random.Random(seed)
    if kind is BatchNorm1d:
        shape: tuple[int, ...] = (draw.randint(2, 40), draw.randint(1, 70))
    else:
        shape = (draw.randint(1, 9), draw.randint(1, 20), draw.randint(1, 9), draw.randint(2, 9))
    return shape, draw.uniform(0.01, 1.0), 10 ** draw.uniform(-6, -1)


def fresh_input(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    x = torch.randn(shape, dtype=torch.float64, generator=generator) * 2 + 1
    return x.requires_grad_()


def assert_a_step_agrees(mine: nn.Module, reference: nn.Module, shape: tuple[int, ...], noise: torch.Generator) -> None:
    x, dy = fresh_input(shape, noise), torch.randn(shape, dtype=torch.float64, generator=noise)
    got, wanted = mine(x), reference(x)
    torch.testing.assert_close(got, wanted, **CLOSE)
    for name, of_mine, of_reference in zip(
        ("dx", "dweight", "dbias"),
        torch.autograd.grad(got, (x, mine.weight, mine.bias), dy),
        torch.autograd.grad(wanted, (x, reference.weight, reference.bias), dy),
        strict=True,
    ):
        torch.testing.assert_close(of_mine, of_reference, **CLOSE, msg=lambda text, name=name: f"{name}: {text}")
    torch.testing.assert_close(mine.state_dict(), reference.state_dict(), **CLOSE)


@pytest.mark.parametrize(("ours", "theirs"), KINDS)
def test_200_random_cases_agree_with_torch_forward_backward_and_in_running_statistics(ours: type, theirs: type) -> None:
    for seed in range(200):
        shape, momentum, eps = random_case(ours, seed)
        noise = torch.Generator().manual_seed(seed)
        mine, reference = (kind(shape[1], eps=eps, momentum=momentum).double() for kind in (ours, theirs))
        with torch.no_grad():
            reference.weight.normal_(generator=noise)
            reference.bias.normal_(generator=noise)
        mine.load_state_dict(reference.state_dict())
        for _ in range(4):
            assert_a_step_agrees(mine, reference, shape, noise)
        mine.eval()
        reference.eval()
        assert_a_step_agrees(mine, reference, shape, noise)
        assert mine.num_batches_tracked == 4


@pytest.mark.parametrize(("ours", "theirs"), KINDS)
@pytest.mark.parametrize("affine", [True, False])
def test_state_dicts_load_strictly_both_ways(ours: type, theirs: type, affine: bool) -> None:
    mine, reference = ours(7, affine=affine), theirs(7, affine=affine)
    shape = (5, 7) if ours is BatchNorm1d else (5, 7, 3, 3)
    reference(torch.randn(shape))
    assert list(mine.state_dict()) == list(reference.state_dict())
    mine.load_state_dict(reference.state_dict(), strict=True)
    torch.testing.assert_close(mine.state_dict(), reference.state_dict(), rtol=0, atol=0)
    mine(torch.randn(shape))
    reference.load_state_dict(mine.state_dict(), strict=True)
    assert reference.num_batches_tracked == 2
    torch.testing.assert_close(mine.state_dict(), reference.state_dict(), rtol=0, atol=0)


def test_without_affine_it_agrees_with_torch() -> None:
    x = fresh_input((6, 4, 3, 5), torch.Generator().manual_seed(0))
    mine, reference = (kind(4, affine=False).double() for kind in KINDS[1])
    for _ in range(2):
        got, wanted = mine(x), reference(x)
        torch.testing.assert_close(got, wanted, **CLOSE)
        (dx_got,), (dx_wanted,) = (torch.autograd.grad(y.pow(3).sum(), x) for y in (got, wanted))
        torch.testing.assert_close(dx_got, dx_wanted, rtol=1e-11, atol=1e-11)
        mine.eval()
        reference.eval()


def test_channels_last_gives_the_same_values_and_stays_channels_last() -> None:
    contiguous = fresh_input((4, 6, 5, 3), torch.Generator().manual_seed(1))
    channels_last = contiguous.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    dy = torch.randn(contiguous.shape, dtype=torch.float64)
    one, other = BatchNorm2d(6).double(), BatchNorm2d(6).double()
    for _ in range(2):
        y, y_last = one(contiguous), other(channels_last)
        assert y.is_contiguous()
        assert y_last.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(y_last, y, **CLOSE)
        (dx,) = torch.autograd.grad(y, contiguous, dy)
        (dx_last,) = torch.autograd.grad(y_last, channels_last, dy.contiguous(memory_format=torch.channels_last))
        assert dx_last.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(dx_last, dx, **CLOSE)
        one.eval()
        other.eval()
    torch.testing.assert_close(other.state_dict(), one.state_dict(), **CLOSE)


@pytest.mark.parametrize(("kind", "shape"), [(BatchNorm1d, (5, 3)), (BatchNorm2d, (2, 3, 2, 3))])
@pytest.mark.parametrize("training", [True, False])
def test_the_closed_form_gradient_passes_gradcheck(kind: type, shape: tuple[int, ...], training: bool) -> None:
    x = fresh_input(shape, torch.Generator().manual_seed(2))
    layer = kind(3).double().train(training)
    assert torch.autograd.gradcheck(
        lambda x, weight, bias: torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x,)),
        (x, layer.weight, layer.bias),
    )


def test_a_second_derivative_is_refused_rather_than_wrong() -> None:
    x = fresh_input((4, 2), torch.Generator().manual_seed(3))
    (dx,) = torch.autograd.grad(BatchNorm1d(2).double()(x).pow(3).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        dx.sum().backward()


def test_momentum_may_be_a_tensor() -> None:
    x = fresh_input((5, 3), torch.Generator().manual_seed(4))
    by_tensor = BatchNorm1d(3, momentum=torch.tensor(0.3, dtype=torch.float64)).double()
    by_float = BatchNorm1d(3, momentum=0.3).double()
    torch.testing.assert_close(by_tensor(x), by_float(x), rtol=0, atol=0)
    torch.testing.assert_close(by_tensor.state_dict(), by_float.state_dict(), **CLOSE)


def test_float32_with_a_large_mean_keeps_its_digits() -> None:
    x = torch.randn(500, 3, generator=torch.Generator().manual_seed(5)) + 1000
    torch.testing.assert_close(BatchNorm1d(3)(x).double(), BatchNorm1d(3).double()(x.double()), rtol=0, atol=5e-4)


def test_bfloat16_input_is_summed_in_float32() -> None:
    x = (torch.randn(1000, 3, generator=torch.Generator().manual_seed(6)) + 5).bfloat16()
    layer, reference = BatchNorm1d(3), BatchNorm1d(3)
    y = layer(x)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y, reference(x.float()).bfloat16(), rtol=0, atol=0)
    torch.testing.assert_close(layer.state_dict(), reference.state_dict(), rtol=0, atol=0)


def test_a_gradient_reaches_the_parameters_when_the_input_needs_none() -> None:
    x = torch.randn(6, 3, dtype=torch.float64)
    mine, reference = BatchNorm1d(3).double(), nn.BatchNorm1d(3).double()
    for layer in (mine, reference):
        layer(x).pow(3).sum().backward()
    torch.testing.assert_close(mine.weight.grad, reference.weight.grad, **CLOSE)
    torch.testing.assert_close(mine.bias.grad, reference.bias.grad, **CLOSE)


@pytest.mark.parametrize(
    ("kind", "shape", "words"),
    [
        (BatchNorm1d, (5, 4), r"BatchNorm1d\(3\): got an input of shape \(5, 4\), wanted \(N, 3\)"),
        (BatchNorm1d, (5, 3, 2), r"wanted \(N, 3\)"),
        (BatchNorm1d, (1, 3), r"\(1, 3\) while training, wanted N >= 2"),
        (BatchNorm2d, (5, 4, 2, 2), r"got an input of shape \(5, 4, 2, 2\), wanted \(N, 3, H, W\)"),
        (BatchNorm2d, (5, 3), r"wanted \(N, 3, H, W\)"),
        (BatchNorm2d, (1, 3, 1, 1), r"wanted N\*H\*W >= 2"),
        (BatchNorm2d, (0, 3, 8, 8), r"wanted N\*H\*W >= 2"),
    ],
)
def test_a_wrong_shape_is_named_and_leaves_the_statistics_alone(kind: type, shape: tuple[int, ...], words: str) -> None:
    layer = kind(3)
    with pytest.raises(ShapeError, match=words):
        layer(torch.zeros(shape))
    assert layer.num_batches_tracked == 0


def test_one_image_is_enough_for_2d_and_one_row_is_enough_in_evaluation() -> None:
    assert BatchNorm2d(3)(torch.randn(1, 3, 1, 2)).isfinite().all()
    assert BatchNorm1d(3).eval()(torch.randn(1, 3)).shape == (1, 3)


@pytest.mark.parametrize(
    "wrong", [{"num_features": 0}, {"eps": 0.0}, {"momentum": 0.0}, {"momentum": 1.5}, {"momentum": float("nan")}]
)
def test_a_wrong_argument_is_named_with_its_value(wrong: dict[str, float]) -> None:
    ((key, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"BatchNorm1d: {key} is {value}; it must be"):
        BatchNorm1d(**{"num_features": 3, **wrong})
