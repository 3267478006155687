"""Our optimisers against torch.optim's, step by step."""

import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from sweep.models import linear
from sweep.models.linear import Linear
from sweep.training.optimizer import Optimizer, build_optimizer

SETTINGS = [
    ("adam", {"weight_decay": 0.0}),
    ("adam", {"weight_decay": 0.01}),
    ("sgd", {"weight_decay": 0.0, "momentum": 0.0}),
    ("sgd", {"weight_decay": 0.01, "momentum": 0.9}),
]


@pytest.fixture
def any_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "suit_the_processor", lambda: True)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(9, 5), nn.ReLU(), nn.Linear(5, 3))


def large_network() -> nn.Sequential:
    """With a layer that may leave its gradient as factors."""
    torch.manual_seed(0)
    outputs = linear.FEWEST_WEIGHTS // 9 + 1
    return nn.Sequential(Linear(9, outputs), nn.ReLU(), nn.Linear(outputs, 3))


def our_optimizer(name: str, model: nn.Module, setting: dict[str, float]) -> Optimizer:
    return build_optimizer(
        name,
        model,
        lr=0.03,
        weight_decay=setting["weight_decay"],
        sgd_momentum=setting.get("momentum", 0.0),
    )


def loss(model: nn.Module, step: int) -> Tensor:
    x = torch.randn(11, 9, generator=torch.Generator().manual_seed(step))
    value: Tensor = model(x).square().mean()
    return value


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
def test_equals_torch_bitwise(name: str, setting: dict[str, float]) -> None:
    ours, theirs = network(), network()
    optimizer = our_optimizer(name, ours, setting)
    kind = torch.optim.Adam if name == "adam" else torch.optim.SGD
    reference = kind(theirs.parameters(), lr=0.03, fused=True, **setting)
    for step in range(30):
        for model, one in ((ours, optimizer), (theirs, reference)):
            one.zero_grad()
            loss(model, step).backward()
            one.step()
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(mine, other)


@pytest.mark.parametrize("setting", [setting for name, setting in SETTINGS if name == "adam"])
def test_a_gradient_left_as_factors_gives_the_same_step_up_to_rounding(
    setting: dict[str, float], any_processor: None
) -> None:
    ours, theirs = large_network(), large_network()
    optimizer = our_optimizer("adam", ours, setting)
    reference = torch.optim.Adam(theirs.parameters(), lr=0.03, fused=True, **setting)
    for step in range(10):
        for model, one in ((ours, optimizer), (theirs, reference)):
            one.zero_grad()
            loss(model, step).backward()
        assert ours[0].weight.grad is None
        optimizer.step()
        reference.step()
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            # Where a gradient is nearly 0, its rounding decides which way a step of up to lr goes.
            assert (mine - other).abs().median() < 1e-6
            assert (mine - other).abs().max() < 0.03


@pytest.mark.parametrize("build", [network, large_network])
@pytest.mark.parametrize(("name", "setting"), SETTINGS)
@pytest.mark.parametrize("steps_before", [0, 3])
def test_goes_on_from_its_state(
    name: str,
    setting: dict[str, float],
    steps_before: int,
    build: Callable[[], nn.Sequential],
    any_processor: None,
) -> None:
    model = build()
    optimizer = our_optimizer(name, model, setting)

    def go(first: int, last: int) -> None:
        for step in range(first, last):
            optimizer.zero_grad()
            loss(model, step).backward()
            optimizer.step()

    go(0, steps_before)
    weights = deepcopy(model.state_dict())
    state = deepcopy(optimizer.state_dict())
    go(steps_before, 6)
    wanted = deepcopy(model.state_dict())

    model = build()
    model.load_state_dict(weights)
    optimizer = our_optimizer(name, model, setting)
    optimizer.load_state_dict(state)
    go(steps_before, 6)
    assert all(torch.equal(value, wanted[key]) for key, value in model.state_dict().items())


def test_a_step_without_gradients_is_refused() -> None:
    with pytest.raises(ValueError, match="call backward"):
        our_optimizer("adam", network(), {"weight_decay": 0.0}).step()


def test_training_does_not_load_the_compiler() -> None:
    """The reason for having optimisers of our own."""
    script = (
        "import sys; from cluster.environment import cache_dir\n"
        "from search_spaces.space import SearchSpace\n"
        "from sweep.data.dataset import load_dataset\n"
        "from sweep.training.trial import Trial\n"
        "digits = load_dataset('digits', cache_dir=cache_dir())\n"
        "trial = Trial(digits, SearchSpace({}).resolve({}), model='mlp', model_args={}, sweep_seed=0, replicate=0)\n"
        "trial.train_epoch()\n"
        "print('torch._dynamo' in sys.modules)\n"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["False"]
