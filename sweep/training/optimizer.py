"""The optimiser of a trial: torch's fused kernels, without the class that torch.optim wraps around them.

That class imports torch's compiler at its first step, in every worker process, and nothing here compiles.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

from sweep.kernels import factored_adam, pixel_linear
from sweep.models.linear import Linear

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8  # torch's defaults


class Optimizer(ABC):
    """Moves the parameters of a model along their gradients, all of them in one kernel a step.

    Held bitwise against torch.optim.
    """

    def __init__(self, model: nn.Module, *, lr: float, weight_decay: float) -> None:
        self.parameters: list[Tensor] = list(model.parameters())
        self.lr = lr
        self.weight_decay = weight_decay

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @abstractmethod
    def step(self) -> None:
        """One step along the gradients. Raises ValueError for a parameter that has none."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on: lists with one entry a parameter."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, arXiv 1412.6980, alg. 1) with torch's defaults beta 0.9 and 0.999, eps 1e-8.

    A linear layer that can leaves its weight's gradient as two factors (`Linear.factors`); their product and the step
    are then one loop, equal to torch's up to rounding (to 16 bits where x is pixels).
    """

    def __init__(self, model: nn.Module, *, lr: float, weight_decay: float) -> None:
        super().__init__(model, lr=lr, weight_decay=weight_decay)
        # One a parameter, as torch's kernel wants them, and together, to count in one call: on a CPU of numpy, as
        # between products that empty the caches each of torch's takes 10 to 60 µs.
        device = self.parameters[0].device
        all_steps = torch.zeros(len(self.parameters), device=device)
        self._steps = list(all_steps)
        self._all_steps = all_steps.numpy() if device.type == "cpu" else all_steps
        self._means = [torch.zeros_like(p) for p in self.parameters]
        self._squares = [torch.zeros_like(p) for p in self.parameters]
        # Of the parameters without those whose places are the key: lists are dear between products, too.
        self._without: dict[tuple[int, ...], list[list[Tensor]]] = {}
        places = {parameter: i for i, parameter in enumerate(self.parameters)}
        self._linear = {places[layer.weight]: layer for layer in model.modules() if isinstance(layer, Linear)}
        for layer in self._linear.values():
            layer.may_leave_factors = device.type == "cpu"
        self._arrays = {
            i: [tensors[i].detach().numpy() for tensors in (self.parameters, self._means, self._squares)]
            for i, layer in self._linear.items()
            if layer.may_leave_factors
        }

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self._steps, "means": self._means, "squares": self._squares}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, mine in self.state_dict().items():
            for tensor, saved in zip(mine, state[name], strict=True):
                tensor.copy_(saved)

    def zero_grad(self) -> None:
        super().zero_grad()
        for layer in self._linear.values():
            layer.factors = None

    def step(self) -> None:
        multiplied = {i: layer.factors for i, layer in self._linear.items() if layer.factors is not None}
        parameters, values, means, squares, steps = self._all_without(tuple(multiplied))
        self._all_steps += 1
        torch._fused_adam_(
            values,
            _gradients(parameters),
            means,
            squares,
            [],
            steps,
            lr=self.lr,
            beta1=BETA1,
            beta2=BETA2,
            weight_decay=self.weight_decay,
            eps=EPS,
            amsgrad=False,
            maximize=False,
        )
        for i, factors in multiplied.items():
            step = float(self._all_steps[i])
            of_pixels = factors[1].dtype == np.int16
            take_step: Callable[..., None] = pixel_linear.adam_step if of_pixels else factored_adam.step
            take_step(
                *factors,
                *self._arrays[i],
                float(self.weight_decay),
                BETA1,
                BETA2,
                self.lr / (1 - BETA1**step),
                1 / math.sqrt(1 - BETA2**step),
                EPS,
            )

    def _all_without(self, places: tuple[int, ...]) -> list[list[Tensor]]:
        """Parameters, their values, means, squares and steps."""
        if places not in self._without:
            values = [parameter.detach() for parameter in self.parameters]
            self._without[places] = [
                [tensor for i, tensor in enumerate(tensors) if i not in places]
                for tensors in (self.parameters, values, self._means, self._squares, self._steps)
            ]
        return self._without[places]


class SGD(Optimizer):
    """Stochastic gradient descent with momentum, undamped: v = momentum * v + gradient, parameter -= lr * v."""

    def __init__(self, model: nn.Module, *, lr: float, weight_decay: float, momentum: float) -> None:
        super().__init__(model, lr=lr, weight_decay=weight_decay)
        self.momentum = momentum
        self._velocities: list[Tensor | None] = [None] * len(self.parameters)  # until the first step

    def state_dict(self) -> dict[str, Any]:
        return {"velocities": self._velocities}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._velocities = [
            None if saved is None else torch.empty_like(parameter).copy_(saved)
            for parameter, saved in zip(self.parameters, state["velocities"], strict=True)
        ]

    @torch.no_grad()
    def step(self) -> None:
        sgd(
            self.parameters,
            _gradients(self.parameters),
            self._velocities,
            fused=True,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            lr=self.lr,
            dampening=0,
            nesterov=False,
            maximize=False,
        )


def _gradients(parameters: list[Tensor]) -> list[Tensor]:
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if len(gradients) < len(parameters):
        raise ValueError("step: a parameter has no gradient; call backward() on a loss that depends on it first")
    return gradients


def build_optimizer(name: str, model: nn.Module, *, lr: float, weight_decay: float, sgd_momentum: float) -> Optimizer:
    """Adam or SGD. Raises ValueError for another name."""
    if name == "adam":
        return Adam(model, lr=lr, weight_decay=weight_decay)
    if name == "sgd":
        return SGD(model, lr=lr, weight_decay=weight_decay, momentum=sgd_momentum)
    raise ValueError(f"optimizer: got {name!r}; allowed are 'adam' and 'sgd'")
