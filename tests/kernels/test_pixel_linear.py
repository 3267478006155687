"""The products with pixels against the same in float64, with what rounding to 16 bits may change."""

import random

import numpy as np
import pytest
import torch

from sweep.kernels import pixel_linear
from sweep.kernels.pixel_linear import LEVELS, MOST_SUMMED

BETA1, BETA2, EPS, LR = 0.9, 0.999, 1e-8, 0.01
COLOURS = 3


class Case:
    """Pixels of a batch, what each stands for (x, float64), and a layer's weight and bias."""

    def __init__(self, seed: int, batch: int, places: int, outputs: int) -> None:
        draw = np.random.default_rng(seed)
        inputs = COLOURS * places
        self.pixels = draw.integers(-128, 128, (batch, inputs)).astype(np.int16)
        self.slope = draw.uniform(0.01, 0.02, COLOURS).astype(np.float32)
        self.shift = draw.normal(0, 0.3, COLOURS).astype(np.float32)
        self.weight = draw.normal(0, inputs**-0.5, (outputs, inputs)).astype(np.float32)
        self.bias = draw.normal(0, 1, outputs).astype(np.float32)
        self.dy = draw.normal(0, 1e-3, (batch, outputs)).astype(np.float32)

    @property
    def x(self) -> np.ndarray:
        slope, shift = (np.repeat(each, len(self.weight[0]) // COLOURS).astype(float) for each in self.scale)
        return slope * self.pixels + shift

    @property
    def scale(self) -> tuple[np.ndarray, np.ndarray]:
        return self.slope, self.shift

    def forward(self) -> np.ndarray:
        y = np.full((len(self.pixels), len(self.weight)), np.nan, np.float32)
        pixel_linear.forward(self.pixels, *self.scale, self.weight, self.bias, y)
        return y

    def adam_step(self, mean: np.ndarray, square: np.ndarray, number: int = 1, decay: float = 0.0) -> None:
        pixel_linear.adam_step(
            self.dy,
            self.pixels,
            *self.scale,
            self.weight,
            mean,
            square,
            decay,
            BETA1,
            BETA2,
            LR / (1 - BETA1**number),
            (1 - BETA2**number) ** -0.5,
            EPS,
        )

    def gradient(self) -> np.ndarray:
        """The mean that one step leaves is a tenth of it."""
        weight, mean = self.weight.copy(), np.zeros_like(self.weight)
        self.adam_step(mean, np.zeros_like(mean))
        self.weight = weight
        return mean / (1 - BETA1)


def a_case(seed: int, *, most_images: int) -> Case:
    draw = random.Random(seed)
    return Case(seed, draw.randint(1, most_images), 2 * draw.randint(8, 250), draw.randint(1, 70))


@pytest.mark.parametrize("seed", range(60))
def test_the_forward_product_is_that_of_rounded_weights_and_close_to_that_of_the_weights(seed: int) -> None:
    case = a_case(seed, most_images=150)
    y = case.forward()
    exact = case.x @ case.weight.T.astype(float) + case.bias
    slope = np.repeat(case.slope, len(case.weight[0]) // COLOURS)
    level = np.abs(case.weight * slope).max(1) / LEVELS
    # Each weight is off by half a level at most, and evenly so.
    size = np.sqrt((case.pixels.astype(float) ** 2).sum(1))
    assert (np.abs(y - exact) < 5 * np.outer(size, level) * 12**-0.5 + 1e-5).all()
    rounded = np.rint(case.weight * slope / level[:, None].astype(np.float32)) * level[:, None].astype(float)
    offset = case.weight.astype(float) @ np.repeat(case.shift, len(slope) // COLOURS) + case.bias
    # A weight half-way between two levels may be rounded either way.
    assert np.abs(y - (case.pixels @ rounded.T + offset)).max() < 2e-5 + 2 * 128 * level.max()


def test_more_images_than_are_taken_at_a_time_give_the_same() -> None:
    case = Case(0, 800, 1500, 20)  # 4 MB are 466
    y = case.forward()
    case.pixels = case.pixels[700:]
    assert np.array_equal(case.forward(), y[700:])


def test_the_largest_sums_that_there_can_be_do_not_overflow() -> None:
    case = Case(0, 7, 1000, 17)
    case.pixels[:], case.weight[:], case.shift[:] = -128, 0.25, 0
    case.slope[:] = 1 / 64
    assert case.forward() == pytest.approx(-128 / 64 * 3000 * 0.25 + np.tile(case.bias, (7, 1)), rel=1e-6)
    case = Case(0, MOST_SUMMED, 8, 17)
    case.pixels[:], case.dy[:], case.shift[:] = -128, 0.5, 0
    assert case.gradient()[:, :8] == pytest.approx(np.full((17, 8), -128 * 256 * float(case.slope[0])), rel=1e-6)


@pytest.mark.parametrize("seed", range(60))
def test_the_gradient_is_that_of_the_product(seed: int) -> None:
    case = a_case(seed, most_images=150)
    if seed % 10 == 0:
        case = Case(seed, 1 + 8 * seed, 1100, 30)  # more inputs than are taken at a time
    wanted = case.dy.T.astype(float) @ case.x
    level = np.abs(case.dy).max(0) / LEVELS
    size = np.sqrt(((case.slope.max() * case.pixels.astype(float)) ** 2).sum(0))
    assert (np.abs(case.gradient() - wanted) < 5 * np.outer(level, size) * 12**-0.5 + 1e-6 * np.abs(wanted).max()).all()


def test_a_pixel_that_is_the_same_in_all_images_has_no_gradient_where_batch_norm_follows() -> None:
    case = Case(0, 100, 40, 30)
    case.dy -= case.dy.astype(float).mean(0).astype(np.float32)
    case.pixels[:, :10] = -128
    assert np.abs(case.gradient()[:, :10]).max() < 1e-5 * np.abs(case.gradient()).mean()


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_three_steps_are_those_of_torchs_adam(decay: float) -> None:
    case = Case(0, 100, 500, 40)
    mean, square = np.zeros_like(case.weight), np.zeros_like(case.weight)
    theirs = torch.from_numpy(case.weight.copy()).requires_grad_()
    optimizer = torch.optim.Adam([theirs], lr=LR, weight_decay=decay)
    for number in (1, 2, 3):
        theirs.grad = torch.from_numpy((case.dy.T.astype(float) @ case.x).astype(np.float32))
        optimizer.step()
        case.adam_step(mean, square, number, decay)
        state = optimizer.state[theirs]
        torch.testing.assert_close(torch.from_numpy(mean), state["exp_avg"], rtol=1e-3, atol=1e-6)
        torch.testing.assert_close(torch.from_numpy(square), state["exp_avg_sq"], rtol=1e-3, atol=1e-9)
        # A step is about lr long; where a gradient is nearly 0, its rounding decides which way it goes.
        assert (np.abs(case.weight - theirs.detach().numpy()) > 0.05 * LR).mean() < 0.002
        theirs.data.copy_(torch.from_numpy(case.weight))


def test_zeros_stay_zeros() -> None:
    case = Case(0, 20, 40, 9)
    case.weight[3], case.dy[:, 5] = 0, 0
    assert (case.forward()[:, 3] == case.bias[3]).all()
    assert (case.gradient()[5] == 0).all()


def test_the_smallest_values_are_rounded_to_zero() -> None:
    case = Case(0, 20, 40, 9)
    gradient = case.gradient()
    case.weight *= 1e-36
    case.dy *= 1e-33
    assert case.forward() == pytest.approx(np.tile(case.bias, (20, 1)))
    # A level is 1e-37, and there are 20 of them.
    assert case.gradient() == pytest.approx(1e-33 * gradient, rel=0, abs=20 * 1e-37 * 128 * 0.02)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_output(value: float) -> None:
    case = Case(0, 20, 40, 9)
    case.weight[4, 3], case.dy[5, 7] = value, value
    assert np.isfinite(case.forward()).all(0).tolist() == [output != 4 for output in range(9)]
    case.weight[4, 3] = 0
    gradient = case.gradient()
    assert np.isfinite(gradient).all(1).tolist() == [output != 7 for output in range(9)]
    assert not np.isfinite(gradient[7]).any()
