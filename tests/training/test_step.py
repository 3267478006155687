"""A step of training against the same by torch's autograd and optimiser."""

from copy import deepcopy

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sweep.data.augmentation import Augmentation
from sweep.models import build_model
from sweep.training.image_batches import ImageBatches
from sweep.training.optimizer import build_optimizer
from sweep.training.step import Step

DEVICE = torch.device("cpu")


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_loss_right_answers_and_gradients_are_torchs(model: str) -> None:
    torch.manual_seed(0)
    ours = build_model(
        model, image_shape=(3, 8, 8), num_classes=7, layer_order="lbrd", drop_rate=0.0, momentum=0.1, eps=1e-5
    )
    theirs = deepcopy(ours)
    pixels, labels = np.random.default_rng(0).integers(0, 256, (40, 3, 8, 8)).astype(np.uint8), np.arange(40) % 7
    images = ImageBatches(pixels, labels, mean=(0.5, 0.5, 0.5), std=(0.3, 0.3, 0.3), device=DEVICE)
    optimizer = build_optimizer("sgd", ours, lr=1.0, weight_decay=0.0, sgd_momentum=0.0)
    step = Step(ours, optimizer, images, Augmentation(), torch.Generator(), "fp32")
    before = [parameter.detach().clone() for parameter in ours.parameters()]
    index = torch.arange(30)
    step(index)

    x, y = step.augmented(index)
    logits = theirs(x)
    loss = F.cross_entropy(logits, y)
    loss.backward()
    assert step.loss_sum.item() == pytest.approx(30 * loss.item(), rel=1e-4)
    assert step.correct.item() == int((logits.argmax(1) == y).sum())
    for old, moved, parameter in zip(before, ours.parameters(), theirs.parameters(), strict=True):
        assert parameter.grad is not None
        off = old - moved.detach() - parameter.grad
        assert off.norm() <= 2e-4 * (parameter.grad.norm() + 0.1)
