"""The head's loop against torch's linear layer, cross-entropy and argmax."""

import pickle

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sweep.kernels.bounds import OutOfBoundsError
from sweep.kernels.classifier import add_and_differentiate


def ours(features: Tensor, weight: Tensor, bias: Tensor, y: Tensor) -> tuple[float, int, list[Tensor]]:
    """Loss and right answers, summed, and the gradients of the first three."""
    loss_sum, correct = torch.tensor(100.0, dtype=torch.float64), torch.tensor(7)
    given = features, weight, bias
    gradients = [torch.full_like(tensor, 3.0) for tensor in given]
    add_and_differentiate(*(tensor.numpy() for tensor in (*given, y, loss_sum, correct, *gradients)))
    return loss_sum.item() - 100, int(correct) - 7, gradients


def for_logits(logits: Tensor, y: Tensor) -> tuple[float, int, list[Tensor]]:
    classes = logits.shape[1]
    return ours(logits, torch.eye(classes), torch.zeros(classes), y)


@pytest.mark.parametrize(
    ("batch", "width", "classes", "scale"), [(1, 3, 1, 1), (2, 1, 10, 1), (100, 512, 10, 5), (33, 4097, 100, 1)]
)
def test_sums_and_gradients_are_torchs(batch: int, width: int, classes: int, scale: float) -> None:
    torch.manual_seed(0)
    given = scale * torch.randn(batch, width), torch.randn(classes, width), torch.randn(classes)
    y = torch.randint(classes, (batch,))
    loss_sum, correct, gradients = ours(*given, y)
    features, weight, bias = (tensor.double().requires_grad_() for tensor in given)
    logits = F.linear(features, weight, bias)
    assert loss_sum == pytest.approx(F.cross_entropy(logits, y, reduction="sum").item(), rel=1e-5, abs=1e-5)
    assert correct == int((logits.argmax(1) == y).sum())
    wanted = torch.autograd.grad(F.cross_entropy(logits, y), (features, weight, bias))
    for gradient, right in zip(gradients, wanted, strict=True):
        assert (gradient - right).abs().max() <= 1e-4 * right.abs().max() + 1e-7


def test_the_first_of_equal_logits_is_predicted() -> None:
    logits = torch.tensor([[1.0, 3.0, 3.0], [0.0, 0.0, 0.0]])
    assert for_logits(logits, torch.tensor([1, 0]))[1] == 2
    assert for_logits(logits, torch.tensor([2, 1]))[1] == 0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_gives_a_loss_and_a_gradient_that_are_not(bad: float) -> None:
    logits = torch.zeros(3, 4)
    logits[1, 2] = bad
    loss_sum, _, (gradient, _, _) = for_logits(logits, torch.tensor([0, 1, 2]))
    assert not torch.tensor(loss_sum).isfinite()
    assert gradient[1].isnan().any()
    assert gradient[[0, 2]].isfinite().all()


@pytest.mark.parametrize("label", [-1, 4, 99])
def test_a_label_without_a_logit_is_named(label: int) -> None:
    with pytest.raises(OutOfBoundsError, match=rf"^Target {label} is out of bounds; allowed are 0 to 3$") as error:
        for_logits(torch.zeros(2, 4), torch.tensor([0, label]))
    # Ray takes it from one process to another.
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)
