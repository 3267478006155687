"""The optimiser of a trial: torch's fused kernels, without the class that torch.optim wraps around them.

That class imports torch's compiler at its first step, in every worker process, and nothing here compiles.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.sgd import sgd


class Optimizer(ABC):
    """Moves parameters along their gradients, all of them in one kernel a step. Held bitwise against torch.optim."""

    def __init__(self, parameters: Iterable[nn.Parameter], *, lr: float, weight_decay: float) -> None:
        self.parameters: list[Tensor] = list(parameters)
        self.lr = lr
        self.weight_decay = weight_decay

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """One step along the gradients. Raises ValueError for a parameter that has none."""
        gradients = [parameter.grad for parameter in self.parameters]
        if any(gradient is None for gradient in gradients):
            raise ValueError("step: a parameter has no gradient; call backward() on a loss that depends on it first")
        self._step(gradients)

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on: lists with one entry a parameter."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""

    @abstractmethod
    def _step(self, gradients: list[Any]) -> None: ...


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, arXiv 1412.6980, alg. 1) with torch's defaults beta 0.9 and 0.999, eps 1e-8."""

    def __init__(self, parameters: Iterable[nn.Parameter], *, lr: float, weight_decay: float) -> None:
        super().__init__(parameters, lr=lr, weight_decay=weight_decay)
        self._steps = [torch.zeros((), dtype=torch.float32, device=p.device) for p in self.parameters]
        self._means = [torch.zeros_like(p) for p in self.parameters]
        self._squares = [torch.zeros_like(p) for p in self.parameters]

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self._steps, "means": self._means, "squares": self._squares}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, mine in self.state_dict().items():
            for tensor, saved in zip(mine, state[name], strict=True):
                tensor.copy_(saved)

    def _step(self, gradients: list[Any]) -> None:
        adam(
            self.parameters,
            gradients,
            self._means,
            self._squares,
            [],
            self._steps,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self.lr,
            weight_decay=self.weight_decay,
            eps=1e-8,
            maximize=False,
        )


class SGD(Optimizer):
    """Stochastic gradient descent with momentum, undamped: v = momentum * v + gradient, parameter -= lr * v."""

    def __init__(self, parameters: Iterable[nn.Parameter], *, lr: float, weight_decay: float, momentum: float) -> None:
        super().__init__(parameters, lr=lr, weight_decay=weight_decay)
        self.momentum = momentum
        self._velocities: list[Tensor | None] = [None] * len(self.parameters)  # until the first step

    def state_dict(self) -> dict[str, Any]:
        return {"velocities": self._velocities}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._velocities = [
            None if saved is None else torch.empty_like(parameter).copy_(saved)
            for parameter, saved in zip(self.parameters, state["velocities"], strict=True)
        ]

    def _step(self, gradients: list[Any]) -> None:
        sgd(
            self.parameters,
            gradients,
            self._velocities,
            fused=True,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            lr=self.lr,
            dampening=0,
            nesterov=False,
            maximize=False,
        )


def build_optimizer(
    name: str, parameters: Iterable[nn.Parameter], *, lr: float, weight_decay: float, sgd_momentum: float
) -> Optimizer:
    """Adam or SGD. Raises ValueError for another name."""
    if name == "adam":
        return Adam(parameters, lr=lr, weight_decay=weight_decay)
    if name == "sgd":
        return SGD(parameters, lr=lr, weight_decay=weight_decay, momentum=sgd_momentum)
    raise ValueError(f"optimizer: got {name!r}; allowed are 'adam' and 'sgd'")
