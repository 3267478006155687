"""An MLP's gradients without autograd against those with it: bit for bit the same training."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor

from search_spaces.layer_order import VALID_ORDERS
from sweep.data.augmentation import Augmentation
from sweep.kernels.bounds import OutOfBoundsError
from sweep.models import build_model, linear
from sweep.models.mlp import MLP
from sweep.training.image_batches import ImageBatches
from sweep.training.noise import Noise
from sweep.training.optimizer import build_optimizer
from sweep.training.step import Step

CPU = torch.device("cpu")


State = dict[str, Tensor]


def three_steps(model: MLP, noise: Noise, optimizer: str, *, by_autograd: bool) -> State:
    """What they leave behind; the last has fewer images."""
    draw = np.random.default_rng(0)
    pixels, labels = draw.integers(0, 256, (40, 3, 8, 8)).astype(np.uint8), draw.integers(0, 7, 40)
    images = ImageBatches(pixels, labels, mean=(0.5, 0.5, 0.5), std=(0.3, 0.3, 0.3), device=CPU)
    step = Step(
        model,
        build_optimizer(optimizer, model, lr=0.01, weight_decay=0.01, sgd_momentum=0.9),
        images,
        Augmentation(),
        torch.Generator(),
        "fp32",
    )
    assert step.mlp_gradients is not None
    if by_autograd:
        step.mlp_gradients = None
    for number, index in enumerate(torch.arange(40).split(16)):
        noise.seed(number)
        step(index)
    return {**model.state_dict(), "loss_sum": step.loss_sum, "correct": step.correct}


def trained(
    hidden: list[int], layer_order: str, optimizer: str, drop_rate: float | Tensor = 0.3
) -> tuple[State, State, State]:
    """Before, after, and after by autograd."""
    noise = Noise(CPU)
    torch.manual_seed(0)
    model = build_model(
        "mlp",
        image_shape=(3, 8, 8),
        num_classes=7,
        layer_order=layer_order,
        drop_rate=drop_rate,
        momentum=0.1,
        eps=1e-5,
        noise=noise,
        hidden=hidden,
    )
    assert isinstance(model, MLP)
    reference = deepcopy(model)
    for module in reference.modules():
        if hasattr(module, "noise"):
            module.noise = noise  # the copy draws from a copy
    before = {**deepcopy(model.state_dict()), "loss_sum": torch.tensor(0.0), "correct": torch.tensor(0)}
    ours = three_steps(model, noise, optimizer, by_autograd=False)
    return before, ours, three_steps(reference, noise, optimizer, by_autograd=True)


def differing(one: State, other: State) -> list[str]:
    assert list(one) == list(other)
    return [name for name in one if not torch.equal(one[name], other[name])]


@pytest.mark.parametrize("layer_order", VALID_ORDERS)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_every_order_trains_as_by_autograd(layer_order: str, optimizer: str) -> None:
    before, ours, by_autograd = trained([20, 12], layer_order, optimizer)
    assert differing(ours, by_autograd) == []
    assert differing(before, ours) == list(before)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_large_layer_does_too(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "suit_the_processor", lambda: True)
    before, ours, by_autograd = trained([linear.FEWEST_WEIGHTS // 192 + 1, 193], "lbrd", optimizer)
    assert differing(ours, by_autograd) == []
    assert differing(before, ours) == list(before)


@pytest.mark.parametrize("drop_rate", [0.0, torch.tensor(0.3)])
def test_without_dropout_and_with_its_rate_as_a_tensor_too(drop_rate: float | Tensor) -> None:
    before, ours, by_autograd = trained([20], "lrdb", "adam", drop_rate)
    assert differing(ours, by_autograd) == []
    assert differing(before, ours) == list(before)


def test_a_label_that_is_no_class_is_told() -> None:
    model = build_model(
        "mlp", image_shape=(3, 8, 8), num_classes=3, layer_order="lbrd", drop_rate=0.0, momentum=0.1, eps=1e-5
    )
    assert isinstance(model, MLP)
    with pytest.raises(OutOfBoundsError, match=r"[3-6] is out of bounds; allowed are 0 to 2"):
        three_steps(model, Noise(CPU), "adam", by_autograd=False)
