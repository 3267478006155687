"""A trial continued from its checkpoint is the trial that never stopped."""

import os
from pathlib import Path

import pytest
import torch
from test_trial import make_trial, without_times

from search_spaces.space import SearchSpace
from sweep.data.dataset import ImageDataset
from sweep.store.folder import LocalFolder
from sweep.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from sweep.training.trial import Trial

ASSETS = Path(__file__).parents[1] / "assets/older"


@pytest.mark.parametrize("model", ["mlp", "cnn"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("stopped_after", [1, 3])
def test_a_continued_trial_equals_the_uninterrupted_one_bitwise(
    digits: ImageDataset, tmp_path: Path, model: str, optimizer: str, stopped_after: int
) -> None:
    whole = make_trial(digits, model, optimizer=optimizer, lr=0.01)
    for _ in range(4):
        whole.train_epoch()
    stopped = make_trial(digits, model, optimizer=optimizer, lr=0.01)
    for _ in range(stopped_after):
        stopped.train_epoch()
    save_checkpoint(stopped, LocalFolder(tmp_path), "state.pt")
    continued = make_trial(digits, model, optimizer=optimizer, lr=0.01)
    assert load_checkpoint(continued, LocalFolder(tmp_path), "state.pt")
    while continued.epoch < 4:
        continued.train_epoch()
    assert without_times(continued.history) == without_times(whole.history)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, continued.model.state_dict()[name]), name


@pytest.mark.parametrize(("optimizer", "val_loss"), [("adam", 2.211301158944904), ("sgd", 2.18544926128321)])
def test_a_checkpoint_of_an_older_version_is_continued(digits: ImageDataset, optimizer: str, val_loss: float) -> None:
    """val_loss: of the third epoch as that version trained it, which rounded otherwise and had other noise.

    Without the optimiser's state it would be 0.01 off.
    """
    configuration = SearchSpace({}).resolve({"lr": 0.01, "optimizer": optimizer})
    trial = Trial(
        digits, configuration, model="mlp", model_args={"hidden": [2]}, sweep_seed=0, replicate=0, train_size=300
    )
    assert load_checkpoint(trial, LocalFolder(ASSETS), f"checkpoint-{optimizer}.pt")
    assert trial.epoch == 2
    assert trial.train_epoch()["val_loss"] == pytest.approx(val_loss, rel=1e-3)


def test_no_file_is_no_checkpoint(digits: ImageDataset, tmp_path: Path) -> None:
    trial = make_trial(digits)
    assert not load_checkpoint(trial, LocalFolder(tmp_path), "state.pt")
    assert trial.epoch == 0


def test_a_damaged_checkpoint_is_named(digits: ImageDataset, tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    save_checkpoint(make_trial(digits), LocalFolder(tmp_path), path.name)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"state\.pt"):
        load_checkpoint(make_trial(digits), LocalFolder(tmp_path), path.name)


def test_another_configurations_checkpoint_is_refused(digits: ImageDataset, tmp_path: Path) -> None:
    save_checkpoint(make_trial(digits), LocalFolder(tmp_path), "state.pt")
    with pytest.raises(CheckpointError, match="configuration"):
        load_checkpoint(make_trial(digits, lr=0.5), LocalFolder(tmp_path), "state.pt")


class Bomb:
    """Unpickling it would make a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return os.mkdir, (self._folder,)


def test_a_checkpoint_with_code_in_it_is_refused_without_running_it(digits: ImageDataset, tmp_path: Path) -> None:
    torch.save({"format": 1, "bomb": Bomb(tmp_path / "ran")}, tmp_path / "state.pt")
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(make_trial(digits), LocalFolder(tmp_path), "state.pt")
    assert not (tmp_path / "ran").exists()
