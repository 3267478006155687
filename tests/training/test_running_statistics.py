"""What batch norm's running statistics do to an evaluation: measured against formulas and against torch."""

from typing import Any

import pytest
import torch
from torch import Tensor

from search_spaces.space import SearchSpace
from sweep.data.dataset import ImageDataset
from sweep.models import build_model
from sweep.models.build import Network
from sweep.training.running_statistics import (
    InputVariance,
    batch_norms,
    drops_before_a_batch_norm,
    gathered_anew,
    observed_inputs,
    variance_shift,
)
from sweep.training.trial import Trial

NEW_COLUMNS = {"val_loss_without_lag", "val_loss_without_shift", "variance_shift"}


def make_network(model: str = "mlp", layer_order: str = "dblr", drop_rate: float = 0.5, **values: Any) -> Network:
    torch.manual_seed(0)
    shape = (1, 4, 4) if model == "mlp" else (3, 8, 8)
    return build_model(
        model,
        image_shape=shape,
        num_classes=3,
        layer_order=layer_order,
        drop_rate=drop_rate,
        eps=1e-5,
        **{"momentum": 0.1, **values},
    )


def make_trial(digits: ImageDataset, **values: Any) -> Trial:
    configuration = SearchSpace({}).resolve({"drop_rate": 0.5, "augment": "none", **values})
    return Trial(
        digits, configuration, model="mlp", model_args={"hidden": [32]}, sweep_seed=7, replicate=0, decompose=True
    )


@pytest.mark.parametrize("drop_rate", [0.1, 0.3, 0.5, 0.7])
@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_the_shift_behind_dropout_is_that_of_the_closed_formula(drop_rate: float, mean: float) -> None:
    """Li et al. 2018, case (a): dropout directly before batch norm.

    While training the variance is (mean² + v) / keep - mean², in evaluation v.
    """
    v, keep = 0.5, 1 - drop_rate
    model = make_network(drop_rate=drop_rate, momentum=0.01)
    generator = torch.Generator().manual_seed(1)

    def images() -> Tensor:
        return mean + v**0.5 * torch.randn(500, 1, 4, 4, generator=generator)

    with torch.no_grad():
        for _ in range(1000):
            model(images())
        model.eval()
        with observed_inputs(batch_norms(model)) as observed:
            for _ in range(100):
                model(images())
    expected = v / ((mean**2 + v) / keep - mean**2)
    (measured,) = variance_shift(batch_norms(model), observed)
    print(f"drop rate {drop_rate}, mean {mean}: measured {measured:.4f}, formula {expected:.4f}")
    assert measured == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 3, 2)])
def test_the_variance_over_batches_is_that_of_all_their_values(shape: tuple[int, ...]) -> None:
    x = 100 + torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    variance = InputVariance()
    for batch in (x[0], x[1], x[2][:2]):  # the last one smaller
        variance(batch)
    everything = torch.cat([x[0], x[1], x[2][:2]]).double()
    dims = [0, *range(2, everything.dim())]
    torch.testing.assert_close(variance.per_feature(), everything.var(dims, correction=0), rtol=1e-4, atol=0)


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_statistics_gathered_anew_are_the_means_of_the_batches_and_leave_no_trace(model: str) -> None:
    network = make_network(model, layer_order="brl", drop_rate=0.0)
    x = torch.randn(4, 6, *network.image_shape, generator=torch.Generator().manual_seed(0))
    y = torch.zeros(6, dtype=torch.int64)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first = batch_norms(network)[0]
    with gathered_anew(network, [(batch, y) for batch in x]):
        seen = x.flatten(2) if model == "mlp" else x.movedim(2, -1).flatten(1, 3)
        torch.testing.assert_close(first.running_mean, seen.mean((0, 1)))
        torch.testing.assert_close(first.running_var, seen.var(1).mean(0))
    assert first.momentum == 0.1
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_running_statistics_come_back_when_a_measurement_fails() -> None:
    network = make_network()
    before = batch_norms(network)[0].running_mean.clone()

    def batches() -> Any:
        yield torch.randn(4, 1, 4, 4), torch.zeros(4, dtype=torch.int64)
        raise RuntimeError("the data ended here")

    with pytest.raises(RuntimeError, match="ended here"), gathered_anew(network, batches(), dropout=False):
        pass
    assert torch.equal(batch_norms(network)[0].running_mean, before)
    assert all(module.training for module in network.modules())


@pytest.mark.parametrize(
    ("model", "order", "drop_rate", "expected"),
    [
        ("mlp", "lbrd", 0.5, False),
        ("mlp", "ldbr", 0.5, True),
        ("mlp", "ldbr", 0.0, False),
        ("cnn", "lbrd", 0.5, True),  # of the first block, before the second block's batch norm
        ("cnn", "lrd", 0.5, False),
    ],
)
def test_it_is_known_whether_dropout_stands_before_a_batch_norm(
    model: str, order: str, drop_rate: float, expected: bool
) -> None:
    assert drops_before_a_batch_norm(make_network(model, order, drop_rate)) is expected


def test_dropout_before_batch_norm_shifts_the_variance_and_costs_val_loss(digits: ImageDataset) -> None:
    before, behind = (make_trial(digits, layer_order=order, drop_rate=0.7, lr=0.01) for order in ("ldbr", "lbrd"))
    for _ in range(10):
        shifted, unshifted = before.train_epoch(), behind.train_epoch()
    assert shifted["variance_shift"][0] < 0.6 < 0.8 < unshifted["variance_shift"][0] < 1.25
    assert unshifted["val_loss_without_shift"] == unshifted["val_loss_without_lag"]
    assert shifted["val_loss_without_shift"] != shifted["val_loss_without_lag"]


def test_statistics_that_lag_change_val_loss(digits: ImageDataset) -> None:
    slow, quick = (make_trial(digits, layer_order="lbr", drop_rate=0.0, momentum=m).train_epoch() for m in (0.01, 0.5))
    slow_change, quick_change = (abs(row["val_loss"] - row["val_loss_without_lag"]) for row in (slow, quick))
    # After 12 steps at 0.01 the running statistics are still near those they started from.
    assert slow_change > 0.1
    assert quick_change < slow_change / 2
    assert slow["val_loss_without_lag"] == pytest.approx(quick["val_loss_without_lag"], rel=1e-6)


def test_without_batch_norm_there_is_nothing_to_measure(digits: ImageDataset) -> None:
    assert not NEW_COLUMNS & make_trial(digits, layer_order="lrd").train_epoch().keys()
    assert make_trial(digits, layer_order="lbrd").train_epoch().keys() >= NEW_COLUMNS
