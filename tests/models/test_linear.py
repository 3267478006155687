"""The linear layer: torch's numbers up to rounding, and a weight gradient that may be left as two factors."""

import pytest
import torch
from torch import Tensor, nn

from sweep.models import linear
from sweep.models.linear import FEWEST_WEIGHTS, Linear

LARGE = 256, FEWEST_WEIGHTS // 256


@pytest.fixture(autouse=True)
def any_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "suit_the_processor", lambda: True)


def layers(inputs: int, outputs: int) -> tuple[Linear, nn.Linear]:
    torch.manual_seed(0)
    ours, theirs = Linear(inputs, outputs), nn.Linear(inputs, outputs)
    theirs.load_state_dict(ours.state_dict())
    ours.may_leave_factors = True
    return ours, theirs


def gradients(layer: nn.Linear, x: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
    """Output, the input's gradient, the weight's if it is not left as factors."""
    x = x.clone().requires_grad_()
    y = layer(x)
    y.square().sum().backward()
    assert x.grad is not None
    return y.detach(), x.grad, layer.weight.grad


@pytest.mark.parametrize("batch", [1, 100])
def test_the_factors_multiply_to_torchs_gradient(batch: int) -> None:
    ours, theirs = layers(*LARGE)
    x = torch.randn(batch, LARGE[0])
    y, dx, dweight = gradients(ours, x)
    wanted_y, wanted_dx, wanted_dweight = gradients(theirs, x)
    assert dweight is None
    assert ours.factors is not None
    dy, x_left = map(torch.from_numpy, ours.factors)
    for got, wanted in ((y, wanted_y), (dx, wanted_dx), (dy.t() @ x_left, wanted_dweight)):
        torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-4)
    assert theirs.bias.grad is not None
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad)


def test_without_an_optimiser_that_takes_factors_the_gradient_is_where_torch_has_it() -> None:
    ours, theirs = layers(*LARGE)
    ours.may_leave_factors = False
    x = torch.randn(100, LARGE[0])
    results = [gradients(layer, x) for layer in (ours, theirs)]
    assert ours.factors is None
    for got, wanted in zip(*results, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-4)


SCALE = torch.tensor([0.02, 0.01]), torch.tensor([0.1, -0.2])


def test_pixels_are_multiplied_as_what_they_stand_for() -> None:
    layer, theirs = layers(2 * LARGE[0], LARGE[1])
    assert layer.take_pixels(*SCALE)
    pixels = torch.randint(-128, 128, (100, 2 * LARGE[0]), dtype=torch.int16)
    slope, shift = (each.repeat_interleave(LARGE[0]) for each in SCALE)
    x = slope * pixels + shift
    torch.testing.assert_close(layer.normalised(pixels), x)
    with torch.inference_mode():
        torch.testing.assert_close(layer(pixels), theirs(x), rtol=1e-3, atol=1e-3)
    with pytest.raises(TypeError, match=r"got int16; allowed are pixels after take_pixels\(\)"):
        layer(pixels)


@pytest.mark.parametrize(
    ("inputs", "outputs", "slope"),
    [
        (256, FEWEST_WEIGHTS // 256 - 1, 0.1),
        (28, FEWEST_WEIGHTS, 0.1),
        (66, FEWEST_WEIGHTS, 0.1),  # 33 for each colour
        (257, FEWEST_WEIGHTS, 0.1),
        (256, FEWEST_WEIGHTS, 1.1),  # all but constant: what it is divided by would take the levels of the others
    ],
)
def test_a_layer_for_which_they_are_not_takes_no_pixels(inputs: int, outputs: int, slope: float) -> None:
    layer = Linear(inputs, outputs)
    assert not layer.take_pixels(torch.tensor([0.1, slope]), SCALE[1])
    with pytest.raises(TypeError, match="got int16"), torch.inference_mode():
        layer(torch.zeros(1, inputs, dtype=torch.int16))


@pytest.mark.parametrize("why", ["few weights", "few inputs", "many rows", "no rows", "float64", "bf16", "processor"])
def test_otherwise_all_is_torchs(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "suit_the_processor", lambda: why != "processor")
    inputs, outputs = {"few weights": (LARGE[0], 8), "few inputs": (7, FEWEST_WEIGHTS)}.get(why, LARGE)
    ours, theirs = layers(inputs, outputs)
    x = torch.randn({"many rows": linear.LARGEST_BATCH + 1, "no rows": 0}.get(why, 10), inputs)
    if why == "float64":
        ours, theirs, x = ours.double(), theirs.double(), x.double()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=why == "bf16"):
        results = [gradients(layer, x) for layer in (ours, theirs)]
    assert ours.factors is None
    for got, wanted in zip(*results, strict=True):
        assert torch.equal(got, wanted)


def test_a_second_backward_would_lose_the_first_and_is_refused() -> None:
    ours, _ = layers(*LARGE)
    gradients(ours, torch.randn(3, LARGE[0]))
    with pytest.raises(RuntimeError, match="zero_grad"):
        gradients(ours, torch.randn(3, LARGE[0]))


def test_state_dicts_load_either_way() -> None:
    ours, theirs = Linear(8, 4), nn.Linear(8, 4)
    x = torch.randn(5, 8)
    for source, target in ((ours, theirs), (theirs, ours)):
        nn.init.normal_(source.weight)
        target.load_state_dict(source.state_dict())
        assert torch.equal(target(x), source(x))


def test_a_trial_with_many_threads_multiplies_with_all_of_them() -> None:
    ours, _ = layers(*LARGE)
    x = torch.randn(10, LARGE[0])
    assert ours.multiplies(x)
    threads = torch.get_num_threads()
    torch.set_num_threads(linear.MOST_THREADS + 1)
    try:
        assert not ours.multiplies(x)
    finally:
        torch.set_num_threads(threads)
