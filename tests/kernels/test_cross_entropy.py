"""The loss kernel against torch's cross-entropy and argmax."""

import pickle

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sweep.kernels.bounds import OutOfBoundsError
from sweep.kernels.cross_entropy import add_and_differentiate


def ours(logits: Tensor, y: Tensor) -> tuple[float, int, Tensor]:
    loss_sum, correct, gradient = torch.tensor(100.0, dtype=torch.float64), torch.tensor(7), torch.empty_like(logits)
    add_and_differentiate(*(tensor.numpy() for tensor in (logits, y, loss_sum, correct, gradient)))
    return loss_sum.item() - 100, int(correct) - 7, gradient


@pytest.mark.parametrize(("batch", "classes", "scale"), [(1, 1, 1), (2, 10, 1), (100, 10, 50), (64, 1000, 3)])
def test_sums_and_gradient_are_torchs(batch: int, classes: int, scale: float) -> None:
    torch.manual_seed(0)
    logits, y = (scale * torch.randn(batch, classes)).requires_grad_(), torch.randint(classes, (batch,))
    loss_sum, correct, gradient = ours(logits.detach(), y)
    assert loss_sum == pytest.approx(F.cross_entropy(logits, y, reduction="sum").item(), rel=1e-5, abs=1e-6)
    assert correct == int((logits.argmax(1) == y).sum())
    (wanted,) = torch.autograd.grad(F.cross_entropy(logits, y), logits)
    torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-7)


def test_the_first_of_equal_logits_is_predicted() -> None:
    logits = torch.tensor([[1.0, 3.0, 3.0], [0.0, 0.0, 0.0]])
    assert ours(logits, torch.tensor([1, 0]))[1] == 2
    assert ours(logits, torch.tensor([2, 1]))[1] == 0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_gives_a_loss_and_a_gradient_that_are_not(bad: float) -> None:
    logits = torch.zeros(3, 4)
    logits[1, 2] = bad
    loss_sum, _, gradient = ours(logits, torch.tensor([0, 1, 2]))
    assert not torch.tensor(loss_sum).isfinite()
    assert gradient[1].isnan().any()
    assert gradient[[0, 2]].isfinite().all()


@pytest.mark.parametrize("label", [-1, 4, 99])
def test_a_label_without_a_logit_is_named(label: int) -> None:
    with pytest.raises(OutOfBoundsError, match=rf"^Target {label} is out of bounds; allowed are 0 to 3$") as error:
        ours(torch.zeros(2, 4), torch.tensor([0, label]))
    # Ray takes it from one process to another.
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)
