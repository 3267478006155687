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


def steps(model: MLP, noise: Noise, optimizer: str, *, by_autograd: bool) -> Step:
    """Three of them, the last with fewer images."""
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
    if by_autograd:
        step._mlp_gradients = None
    for number, index in enumerate(torch.arange(40).split(16)):
        noise.seed(number)
        step(index)
    return step


def state(step: Step) -> list[Tensor]:
    return [*step.model.state_dict().values(), step.loss_sum, step.correct]


@pytest.mark.parametrize("layer_order", VALID_ORDERS)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_every_order_trains_as_by_autograd(layer_order: str, optimizer: str) -> None:
    compare([20, 12], layer_order, optimizer)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_large_layer_does_too(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "suit_the_processor", lambda: True)
    compare([linear.FEWEST_WEIGHTS // 192 + 1, 193], "lbrd", optimizer)


@pytest.mark.parametrize("drop_rate", [0.0, torch.tensor(0.3)])
def test_without_dropout_and_with_its_rate_as_a_tensor_too(drop_rate: float | Tensor) -> None:
    compare([20], "lrdb", "adam", drop_rate)


def compare(hidden: list[int], layer_order: str, optimizer: str, drop_rate: float | Tensor = 0.3) -> None:
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
    before = deepcopy(state_of(model))
    ours = steps(model, noise, optimizer, by_autograd=False)
    theirs = steps(reference, noise, optimizer, by_autograd=True)
    for name, mine, other in zip(model.state_dict(), state(ours), state(theirs), strict=False):
        assert torch.equal(mine, other), name
    assert all(not torch.equal(old, new) for old, new in zip(before, state_of(model), strict=True))


def state_of(model: MLP) -> list[Tensor]:
    return list(model.state_dict().values())


def test_a_label_that_is_no_class_is_told() -> None:
    model = build_model(
        "mlp", image_shape=(3, 8, 8), num_classes=3, layer_order="lbrd", drop_rate=0.0, momentum=0.1, eps=1e-5
    )
    assert isinstance(model, MLP)
    with pytest.raises(OutOfBoundsError, match=r"[3-6] is out of bounds; allowed are 0 to 2"):
        steps(model, Noise(CPU), "adam", by_autograd=False)
