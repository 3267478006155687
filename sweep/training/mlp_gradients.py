"""The gradients of an MLP on a CPU in float32, without autograd.

Between products that empty the caches even the shortest of torch's calls takes 10 to 60 µs, and autograd makes some
fifty of them a step. Here the loops of `sweep.kernels` follow each other and write into arrays that stay from step to
step. In float32 the numbers are, bit for bit, autograd's; of a first layer that takes pixels autograd has none.

Shapes: B of a batch, I inputs and O outputs of a linear layer, C features between layers. Arrays are float32, pixels
int16.
"""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from sweep.kernels import linear as linear_kernels
from sweep.kernels import pixel_linear
from sweep.kernels import pointwise as kernels
from sweep.kernels.classifier import add_and_differentiate
from sweep.models.batch_norm import BatchNorm1d
from sweep.models.block import Block
from sweep.models.dropout import Dropout
from sweep.models.linear import Linear
from sweep.models.mlp import MLP
from sweep.models.pointwise import NO_NOISE
from sweep.training.noise import Noise

NOTHING = np.empty((0, 0), np.float32)


class MLPGradients:
    """Called with a batch, leaves the gradients of its mean cross-entropy where `loss.backward()` would.

    The next call overwrites them; nothing may set them to None in between.
    """

    def __init__(self, model: MLP, loss_sum: Tensor, correct: Tensor) -> None:
        """loss_sum (float64) and correct (int64): what is added to, of no dimension."""
        blocks = [module for module in model.modules() if isinstance(module, Block)]
        self._runs = [_run(block, letters) for block in blocks for letters in block.runs]
        self._first_with_parameters = next(i for i, run in enumerate(self._runs) if run.has_parameters)
        self._head = _values(model.head.weight), _values(model.head.bias)
        self._head_gradients = _gradient(model.head.weight), _gradient(model.head.bias)
        self._sums = loss_sum.numpy(), correct.numpy()
        self._dfeatures_BC = NOTHING

    def __call__(self, x_BCP: np.ndarray, y_B: np.ndarray) -> None:
        """x: float32 or pixels, of any number of dimensions; y: int64. Adds the images' cross-entropies (nats) to
        loss_sum, and to correct how many have their class's logit as the largest. Raises OutOfBoundsError for a label
        that is no class.
        """
        values = x_BCP.reshape(len(x_BCP), -1)
        for run in self._runs:
            values = run.forward(values)
        self._dfeatures_BC = gradient = _room(self._dfeatures_BC, values)
        add_and_differentiate(values, *self._head, y_B, *self._sums, gradient, *self._head_gradients)
        for i in range(len(self._runs) - 1, self._first_with_parameters - 1, -1):
            gradient = self._runs[i].backward(gradient, with_dx=i > self._first_with_parameters)


class _Run(ABC):
    """Layers that follow each other and are computed together. What is returned, the next call overwrites."""

    has_parameters = True

    @abstractmethod
    def forward(self, x: np.ndarray) -> np.ndarray:
        """In training mode."""

    @abstractmethod
    def backward(self, dy: np.ndarray, *, with_dx: bool) -> np.ndarray:
        """Of the last forward: writes the parameters' gradients and returns the input's, if asked for."""


class _Linear(_Run):
    def __init__(self, layer: Linear) -> None:
        self._layer = layer
        self._weight_OI, self._bias_O = _values(layer.weight), _values(layer.bias)
        self._dbias_O = _gradient(layer.bias)
        self._x_BI = self._dx_BI = self._y_BO = NOTHING
        self._multiplies = False

    def forward(self, x_BI: np.ndarray) -> np.ndarray:
        self._x_BI = x_BI
        if len(self._y_BO) != len(x_BI):
            self._y_BO = np.empty((len(x_BI), len(self._weight_OI)), np.float32)
            self._multiplies = self._layer.multiplies(torch.from_numpy(x_BI))
        if self._multiplies:
            linear_kernels.forward(x_BI, self._weight_OI, self._bias_O, self._y_BO)
        else:
            x, y, weight, bias = map(torch.from_numpy, (x_BI, self._y_BO, self._weight_OI, self._bias_O))
            torch.addmm(bias, x, weight.t(), out=y)
        return self._y_BO

    def backward(self, dy_BO: np.ndarray, *, with_dx: bool) -> np.ndarray:
        leaves_factors = self._multiplies and self._layer.may_leave_factors
        self._layer.factors = (dy_BO, self._x_BI) if leaves_factors else None
        if not leaves_factors:
            _product(dy_BO.T, self._x_BI, _gradient(self._layer.weight))
        if self._multiplies:
            linear_kernels.sum_of_rows(dy_BO, self._dbias_O)
        else:
            torch.sum(torch.from_numpy(dy_BO), 0, out=torch.from_numpy(self._dbias_O))
        self._dx_BI = _room(self._dx_BI, self._x_BI)
        if with_dx:
            _product(dy_BO, self._weight_OI, self._dx_BI)
        return self._dx_BI


class _PixelLinear(_Linear):
    """A first layer that takes pixels."""

    def __init__(self, layer: Linear, scale: tuple[Tensor, Tensor]) -> None:
        super().__init__(layer)
        slope_C, shift_C = scale
        self._scale = slope_C.numpy(), shift_C.numpy()

    def forward(self, x_BI: np.ndarray) -> np.ndarray:
        self._x_BI = x_BI
        if len(self._y_BO) != len(x_BI):
            self._y_BO = np.empty((len(x_BI), len(self._weight_OI)), np.float32)
        pixel_linear.forward(x_BI, *self._scale, self._weight_OI, self._bias_O, self._y_BO)
        return self._y_BO

    def backward(self, dy_BO: np.ndarray, *, with_dx: bool) -> np.ndarray:
        if len(dy_BO) > pixel_linear.MOST_SUMMED or not self._layer.may_leave_factors:
            x_BI = self._layer.normalised(torch.from_numpy(self._x_BI))
            self._x_BI, self._multiplies = x_BI.numpy(), self._layer.multiplies(x_BI)
            return super().backward(dy_BO, with_dx=with_dx)
        self._layer.factors = dy_BO, self._x_BI, *self._scale
        linear_kernels.sum_of_rows(dy_BO, self._dbias_O)
        return NOTHING  # nothing with parameters is in front


class _Pointwise(_Run):
    """ReLU and dropout, either or both."""

    has_parameters = False

    def __init__(self, rectify: bool, dropout: Dropout | None) -> None:
        self._rectify = rectify
        self._dropout = dropout if dropout is not None and dropout.is_active else None
        self._threshold, self._factor = (0, 1.0) if self._dropout is None else self._dropout.threshold_and_factor()
        self._noise_BC, self._words = NO_NOISE.numpy(), NOTHING
        self._y_BC = self._dx_BC = NOTHING
        self._passed_BC = NOTHING.astype(np.bool_)

    def forward(self, x_BC: np.ndarray) -> np.ndarray:
        zero_C, one_C = np.zeros(x_BC.shape[1], np.float32), np.ones(x_BC.shape[1], np.float32)
        how = self._how(x_BC)
        kernels.forward(x_BC, zero_C, one_C, zero_C, *how, self._y_BC, self._passed_BC)
        return self._y_BC

    def backward(self, dy_BC: np.ndarray, *, with_dx: bool) -> np.ndarray:
        self._dx_BC = _room(self._dx_BC, dy_BC)
        if with_dx:
            kernels.backward_where_passed(dy_BC, self._passed_BC, self._factor, self._dx_BC)
        return self._dx_BC

    def _how(self, x_BC: np.ndarray) -> tuple[bool, bool, np.ndarray, int, float]:
        """What the loops take besides the values; makes room for their results."""
        self._y_BC, self._passed_BC = _room(self._y_BC, x_BC), _room(self._passed_BC, x_BC)
        if self._dropout is not None:
            self._draw(self._dropout, x_BC)
        return self._rectify, self._dropout is not None, self._noise_BC, self._threshold, self._factor

    def _draw(self, dropout: Dropout, x_BC: np.ndarray) -> None:
        if not isinstance(dropout.noise, Noise):
            self._noise_BC = dropout.draw(torch.from_numpy(x_BC)).numpy()
            return
        if self._noise_BC.shape != x_BC.shape:
            self._words = dropout.noise.room_for(x_BC.size)
            self._noise_BC = self._words.view(np.int16)[: x_BC.size].reshape(x_BC.shape)
        dropout.noise.fill(self._words)


class _Norm(_Pointwise):
    """Batch norm, and ReLU and dropout behind it."""

    has_parameters = True

    def __init__(self, norm: BatchNorm1d, rectify: bool, dropout: Dropout | None) -> None:
        super().__init__(rectify, dropout)
        assert norm.weight is not None
        assert norm.bias is not None
        self._norm = norm
        self._affine = _values(norm.weight), _values(norm.bias)
        self._running = norm.running_mean.numpy(), norm.running_var.numpy(), norm.num_batches_tracked.numpy()
        self._x_BC = NOTHING
        self._norm_4C = np.empty((4, norm.num_features), np.float32)
        gradients_2C = torch.zeros(2, norm.num_features)
        norm.weight.grad, norm.bias.grad = gradients_2C
        self._gradients_2C = gradients_2C.numpy()

    def forward(self, x_BC: np.ndarray) -> np.ndarray:
        self._x_BC = x_BC
        weight_C, bias_C = self._affine
        how = self._how(x_BC)
        eps, momentum = float(self._norm.eps), float(self._norm.momentum)
        kernels.norm_forward(x_BC, weight_C, bias_C, eps, *how, self._norm_4C, self._y_BC, self._passed_BC)
        mean_C, var_C = self._norm_4C[0], self._norm_4C[1]
        kernels.move_running_statistics(*self._running, mean_C, var_C, momentum, len(x_BC))
        return self._y_BC

    def backward(self, dy_BC: np.ndarray, *, with_dx: bool) -> np.ndarray:
        self._dx_BC = _room(self._dx_BC, dy_BC)
        g = dy_BC, self._passed_BC, self._factor
        kernels.norm_backward(*g, self._x_BC, self._norm_4C, with_dx, self._dx_BC, self._gradients_2C)
        return self._dx_BC


def _run(block: Block, letters: str) -> _Run:
    if letters == "l":
        assert isinstance(block.l, Linear)
        scale = block.l.pixel_scale
        return _Linear(block.l) if scale is None else _PixelLinear(block.l, scale)
    rectify, dropout = "r" in letters, block.d if "d" in letters else None
    if "b" in letters:
        assert isinstance(block.b, BatchNorm1d)
        return _Norm(block.b, rectify, dropout)
    return _Pointwise(rectify, dropout)


def _product(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    torch.mm(torch.from_numpy(a), torch.from_numpy(b), out=torch.from_numpy(out))


def _values(parameter: Tensor) -> np.ndarray:
    values: np.ndarray = parameter.detach().numpy()
    return values


def _gradient(parameter: Tensor) -> np.ndarray:
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    gradient: np.ndarray = parameter.grad.numpy()
    return gradient


def _room(array: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The array itself if it has the shape of `like`, else a new one of its type that has."""
    return array if array.shape == like.shape else np.empty(like.shape, array.dtype)
