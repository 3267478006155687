"""One trial: what it measures, and that it gives the same numbers again."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from search_spaces.layer_order import VALID_ORDERS
from search_spaces.space import SearchSpace
from sweep.data.dataset import ImageDataset
from sweep.data.split import split_indices
from sweep.training.evaluation import evaluate
from sweep.training.seeds import seed_for
from sweep.training.trial import Trial

SMALL = {"mlp": {"hidden": [32]}, "cnn": {"channels": [4, 8]}}
TIMES = ("epoch_s", "images_per_s")


def make_trial(
    digits: ImageDataset, model: str = "mlp", *, replicate: int = 0, train_size: int | None = None, **values: Any
) -> Trial:
    return Trial(
        digits,
        SearchSpace({}).resolve({"drop_rate": 0.25, "augment": "full", **values}),
        model=model,
        model_args=SMALL[model],
        sweep_seed=7,
        replicate=replicate,
        train_size=train_size,
    )


def without_times(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]


@pytest.mark.parametrize("model", ["mlp", "cnn"])
@pytest.mark.parametrize("order", VALID_ORDERS)
def test_every_layer_order_trains_an_epoch_on_digits(digits: ImageDataset, model: str, order: str) -> None:
    trial = make_trial(digits, model, train_size=250, layer_order=order, augment="none")
    row = trial.train_epoch()
    assert not trial.diverged
    assert 0 <= row["val_acc"] <= 1
    assert row["step"] == 3  # batches of 100, the last one of 50


@pytest.mark.parametrize("model", ["mlp", "cnn"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_equal_arguments_give_equal_numbers(digits: ImageDataset, model: str, optimizer: str) -> None:
    first, second = (make_trial(digits, model, optimizer=optimizer, lr=0.01) for _ in range(2))
    torch.manual_seed(1)  # torch's own generator must not matter
    one = [first.train_epoch() for _ in range(3)]
    torch.manual_seed(2)
    other = [second.train_epoch() for _ in range(3)]
    assert without_times(one) == without_times(other)


def test_replicates_differ(digits: ImageDataset) -> None:
    rows = [make_trial(digits, replicate=replicate).train_epoch() for replicate in range(2)]
    assert without_times(rows[:1]) != without_times(rows[1:])


def test_two_configurations_of_one_replicate_share_their_random_numbers(digits: ImageDataset) -> None:
    # A weight decay too small to move a float32 weight is another configuration with the same arithmetic.
    plain = make_trial(digits)
    decayed = make_trial(digits, weight_decay=1e-30)
    assert plain.configuration != decayed.configuration
    assert without_times([plain.train_epoch()]) == without_times([decayed.train_epoch()])


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_the_three_losses_are_what_they_say(digits: ImageDataset, model: str) -> None:
    """Against a plain loop over the whole split at once, with torch's own functions."""
    trial = make_trial(digits, model, augment="none", drop_rate=0.5)
    row = trial.train_epoch()
    split = split_indices(len(digits.train_images), seed=seed_for(7, 0, "split"))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (digits.mean, digits.std))
    trial.model.eval()
    for index, loss, accuracy in (
        (split.train_eval, "train_eval_loss", "train_eval_acc"),
        (split.val, "val_loss", "val_acc"),
    ):
        x = (torch.tensor(digits.train_images[index]) / 255 - mean) / std
        y = torch.tensor(digits.train_labels[index])
        with torch.no_grad():
            logits = trial.model(x)
        assert row[loss] == pytest.approx(F.cross_entropy(logits, y).item(), rel=1e-5)
        assert row[accuracy] == pytest.approx((logits.argmax(1) == y).double().mean().item(), abs=1e-9)
    assert len(split.train_eval) == len(split.val)
    assert row["gap_loss"] == row["val_loss"] - row["train_eval_loss"]
    assert row["gap_acc"] == row["train_eval_acc"] - row["val_acc"]


def test_the_running_loss_is_of_the_weights_before_each_step(digits: ImageDataset) -> None:
    # One step of all images, without noise: the running loss is that of the initial weights.
    values = {"batch_size": 2000, "layer_order": "lr", "augment": "none"}
    trial = make_trial(digits, **values)
    row = trial.train_epoch()
    untrained = make_trial(digits, **values)
    loss, accuracy = evaluate(untrained.model, untrained._images, untrained._train_N)
    assert row["step"] == 1
    assert row["train_loss"] == pytest.approx(loss, rel=1e-5)
    assert row["train_acc"] == pytest.approx(accuracy, abs=1e-9)


def test_evaluation_leaves_the_network_as_it_is(digits: ImageDataset) -> None:
    trial = make_trial(digits)
    trial.train_epoch()
    before = {name: value.clone() for name, value in trial.model.state_dict().items()}
    once = evaluate(trial.model, trial._images, trial._val_N)
    assert once == evaluate(trial.model, trial._images, trial._val_N)
    assert all(torch.equal(value, before[name]) for name, value in trial.model.state_dict().items())
    assert trial.model.training


def test_a_loss_that_is_not_finite_is_told_with_its_row(digits: ImageDataset) -> None:
    trial = make_trial(digits, optimizer="sgd", lr=100.0, layer_order="l", augment="none")
    row = trial.train_epoch()
    assert trial.diverged
    assert trial.history == [row]
    assert row["epoch"] == 1


def test_learning_works(digits: ImageDataset) -> None:
    trial = make_trial(digits, augment="none", lr=3e-3)
    rows = [trial.train_epoch() for _ in range(6)]
    assert rows[-1]["val_acc"] > 0.85
    assert rows[-1]["train_eval_loss"] < rows[0]["train_eval_loss"]


def test_a_last_batch_of_one_image_is_left_out(digits: ImageDataset) -> None:
    configuration = SearchSpace({}).resolve({"batch_size": 50})
    trial = Trial(
        digits, configuration, model="mlp", model_args=SMALL["mlp"], sweep_seed=0, replicate=0, train_size=101
    )
    assert trial.train_epoch()["step"] == 2


def test_a_tested_trial_looks_at_the_test_images_where_val_acc_is_the_best_so_far_and_trains_as_any_other(
    digits: ImageDataset,
) -> None:
    configuration = make_trial(digits, lr=0.05).configuration
    tested = Trial(digits, configuration, model="mlp", model_args=SMALL["mlp"], sweep_seed=7, replicate=0, test=True)
    plain = make_trial(digits, lr=0.05)
    rows = [tested.train_epoch() for _ in range(6)]
    assert [
        {name: value for name, value in row.items() if not name.startswith("test_")} for row in without_times(rows)
    ] == without_times([plain.train_epoch() for _ in range(6)])
    accs = [row["val_acc"] for row in rows]
    improved = [acc > max(accs[:place], default=-1) for place, acc in enumerate(accs)]
    assert ["test_acc" in row for row in rows] == improved
    assert not all(improved)

    images, labels = digits.test()
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (digits.mean, digits.std))
    best = make_trial(digits, lr=0.05)
    for _ in range(accs.index(max(accs)) + 1):
        best.train_epoch()
    best.model.eval()
    with torch.no_grad():
        logits = best.model((torch.from_numpy(images[:]).float() / 255 - mean) / std)
    right = (logits.argmax(1).numpy() == labels).mean()
    row = rows[accs.index(max(accs))]
    assert row["test_acc"] == pytest.approx(float(right), abs=1e-9)
    assert row["test_loss"] == pytest.approx(float(F.cross_entropy(logits, torch.from_numpy(labels[:]))), rel=1e-4)


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_measuring_what_explains_the_losses_moves_nothing(digits: ImageDataset, model: str) -> None:
    configuration = make_trial(digits, model).configuration
    apart = Trial(
        digits, configuration, model=model, model_args=SMALL[model], sweep_seed=7, replicate=0, decompose=True
    )
    plain = make_trial(digits, model)
    rows = without_times([apart.train_epoch() for _ in range(3)])
    assert all(row["train_mode_loss"] > 0 for row in rows)
    expected = without_times([plain.train_epoch() for _ in range(3)])
    assert [{name: row[name] for name in expected[0]} for row in rows] == expected


@pytest.mark.parametrize(
    ("model", "harder"),
    [
        ("mlp", {"drop_rate": 0.5, "augment": "none"}),
        ("mlp", {"drop_rate": 0.0, "augment": "full"}),
        ("cnn", {"drop_rate": 0.0, "augment": "full"}),
    ],
)
def test_dropout_and_augmentation_make_the_training_task_harder(
    digits: ImageDataset, model: str, harder: dict[str, Any]
) -> None:
    # Without batch norm, whose running statistics cost evaluation more in the first epochs. And no CNN with dropout: a
    # max-pool over dropped and scaled activations gives more than over whole ones, and evaluation mode suffers from it.
    configuration = SearchSpace({}).resolve({"layer_order": "lrd", **harder})
    trial = Trial(
        digits, configuration, model=model, model_args=SMALL[model], sweep_seed=7, replicate=0, decompose=True
    )
    rows = [trial.train_epoch() for _ in range(3)]
    assert all(row["train_mode_loss"] > row["train_eval_loss"] for row in rows)


def test_in_training_mode_nothing_differs_where_nothing_regularises(digits: ImageDataset) -> None:
    configuration = SearchSpace({}).resolve({"layer_order": "lr", "drop_rate": 0.0, "augment": "none"})
    trial = Trial(digits, configuration, model="mlp", model_args={}, sweep_seed=7, replicate=0, decompose=True)
    row = trial.train_epoch()
    assert row["train_mode_loss"] == pytest.approx(row["train_eval_loss"], rel=1e-5)


def test_with_batch_norm_the_training_mode_takes_each_batch_s_own_statistics(digits: ImageDataset) -> None:
    configuration = SearchSpace({}).resolve({"layer_order": "lbr", "drop_rate": 0.0, "augment": "none"})
    trial = Trial(
        digits, configuration, model="mlp", model_args={"hidden": [16]}, sweep_seed=7, replicate=0, decompose=True
    )
    row = trial.train_epoch()
    split = split_indices(len(digits.train_images), seed=seed_for(7, 0, "split"))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (digits.mean, digits.std))
    total = 0.0
    with torch.no_grad():
        for index_B in torch.from_numpy(split.train_eval).split(100):
            x_BCHW = (torch.from_numpy(digits.train_images[index_B.numpy()]).float() / 255 - mean) / std
            y_B = torch.from_numpy(digits.train_labels[index_B.numpy()])
            total += F.cross_entropy(trial.model(x_BCHW), y_B, reduction="sum").item()
    assert row["train_mode_loss"] == pytest.approx(total / len(split.train_eval), rel=1e-4)
