"""What the number format of a trial changes."""

from typing import Any

import pytest
import torch

from search_spaces.space import SearchSpace
from sweep.data.dataset import ImageDataset
from sweep.models.linear import FEWEST_WEIGHTS
from sweep.training.precision import Precision
from sweep.training.trial import Trial


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_bf16_learns_what_fp32_learns_with_weights_in_fp32(model: str, digits: ImageDataset) -> None:
    arguments = {"hidden": [64]} if model == "mlp" else {"channels": [4, 8]}
    configuration = SearchSpace({}).resolve({"lr": 3e-3})
    rows = {}
    for number_format in ("fp32", "bf16"):
        trial = Trial(
            digits,
            configuration,
            model=model,
            model_args=arguments,
            sweep_seed=1,
            replicate=0,
            precision=number_format,
        )
        for _ in range(3):
            rows[number_format] = trial.train_epoch()
        assert {p.dtype for p in trial.model.parameters()} == {torch.float32}
    assert rows["fp32"]["val_loss"] != rows["bf16"]["val_loss"]
    assert rows["bf16"]["val_acc"] == pytest.approx(rows["fp32"]["val_acc"], abs=0.03)


# The smallest first layer of images of 3 x 32 x 32 that is large enough for int16.
LARGE = {"hidden": [FEWEST_WEIGHTS // 3072 + 1]}


def mlp(digits: ImageDataset, number_format: Precision, **values: Any) -> Trial:
    return Trial(
        digits,
        SearchSpace({}).resolve({"lr": 1e-3, "drop_rate": 0.2, **values}),
        model="mlp",
        model_args=LARGE,
        sweep_seed=1,
        replicate=0,
        precision=number_format,
        decompose=True,
        test=True,
    )


def losses(trial: Trial, epochs: int = 2) -> list[dict[str, float]]:
    while trial.epoch < epochs:
        trial.train_epoch()
    return [
        {name: value for name, value in row.items() if "_loss" in name and "gap" not in name} for row in trial.history
    ]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"optimizer": "sgd"},
        {"augment": "crop-flip"},
        {"batch_size": 800},  # more than an int32 can add up, and 351
        {"batch_size": 800, "optimizer": "sgd"},
        {"layer_order": "ldbr"},
        {"weight_decay": 1e-3, "augment": "full"},
    ],
)
def test_int16_trains_as_fp32_does(values: dict[str, Any], digits: ImageDataset) -> None:
    fp32, int16 = (losses(mlp(digits, number_format, **values)) for number_format in ("fp32", "int16"))
    assert fp32 != int16
    for ours, theirs in zip(int16, fp32, strict=True):
        assert ours == pytest.approx(theirs, rel=0.01)


@pytest.mark.parametrize("order", ["blrd", "dlbr", "rlbd"])
def test_where_the_first_layer_is_given_no_pixels_int16_is_fp32(order: str, digits: ImageDataset) -> None:
    rows = [losses(mlp(digits, number_format, layer_order=order), epochs=1) for number_format in ("fp32", "int16")]
    assert rows[0] == rows[1]


def test_an_int16_trial_goes_on_bit_for_bit(digits: ImageDataset) -> None:
    whole, begun, continued = (mlp(digits, "int16", augment="full") for _ in range(3))
    losses(begun, epochs=1)
    continued.load_state_dict(begun.state_dict())
    assert losses(continued) == losses(whole)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, continued.model.state_dict()[name]), name


def test_of_a_cnn_int16_is_fp32(digits: ImageDataset) -> None:
    rows = []
    for number_format in ("fp32", "int16"):
        trial = Trial(
            digits,
            SearchSpace({}).resolve({}),
            model="cnn",
            model_args={"channels": [2]},
            sweep_seed=1,
            replicate=0,
            train_size=300,
            precision=number_format,
        )
        rows.append(losses(trial, epochs=1))
    assert rows[0] == rows[1]
