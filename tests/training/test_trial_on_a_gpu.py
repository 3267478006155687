"""A trial on a GPU: every layer order trains there, and gives what a CPU gives where their noise is the same."""

from typing import Any

import pytest
import torch

from search_spaces.layer_order import VALID_ORDERS
from search_spaces.space import SearchSpace
from sweep.data.dataset import ImageDataset
from sweep.training.captured_step import CapturedStep
from sweep.training.precision import Precision
from sweep.training.trial import Trial

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU on this machine")

MODELS = {"mlp": {"hidden": [32]}, "cnn": {"channels": [4, 8]}}
LOSSES = ("train_loss", "train_eval_loss", "val_loss", "train_mode_loss")
# Relative, after two or three epochs: a GPU adds up the gradients of convolutions and pools in any order.
TOLERANCE = {"mlp": 1e-3, "cnn": 1e-2}


def trained(
    digits: ImageDataset, device: str, model: str, epochs: int = 2, precision: Precision = "fp32", **values: Any
) -> tuple[Trial, list[dict[str, Any]]]:
    trial = Trial(
        digits,
        SearchSpace({}).resolve({"drop_rate": 0.25, **values}),
        model=model,
        model_args=MODELS[model],
        sweep_seed=7,
        replicate=0,
        device=device,
        precision=precision,
        decompose=True,
    )
    return trial, [trial.train_epoch() for _ in range(epochs)]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("order", VALID_ORDERS)
def test_every_layer_order_trains_with_all_that_explains_its_losses(
    digits: ImageDataset, model: str, order: str
) -> None:
    trial, rows = trained(digits, "cuda", model, layer_order=order, augment="full")
    assert not trial.diverged
    assert rows[-1]["train_mode_loss"] > 0
    assert ("variance_shift" in rows[-1]) == ("b" in order)


# Without dropout and augmentation nothing is drawn on the device; batches and weights are drawn on the CPU for both.
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("order", ["lbr", "lrb", "blr", "lr"])
def test_without_noise_a_gpu_gives_the_losses_of_a_cpu(
    digits: ImageDataset, model: str, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)  # which rounds to 10 bits where a CPU has 23
    (_, on_cpu), (_, on_gpu) = (trained(digits, device, model, layer_order=order) for device in ("cpu", "cuda"))
    for row, same in zip(on_cpu, on_gpu, strict=True):
        for name in LOSSES:
            assert same[name] == pytest.approx(row[name], rel=1e-2), (row["epoch"], name)


# A partial batch (the last one of digits) is not in the recording; "full" reads a value back before it.
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("augment", ["none", "crop-flip", "full"])
def test_a_recorded_step_gives_what_the_step_gives(
    digits: ImageDataset, model: str, optimizer: str, augment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, recorded = trained(digits, "cuda", model, optimizer=optimizer, augment=augment)
    monkeypatch.setattr("sweep.training.captured_step.FIRST_STEPS", 10**9)
    _, plain = trained(digits, "cuda", model, optimizer=optimizer, augment=augment)
    for row, same in zip(plain, recorded, strict=True):
        for name in LOSSES:
            assert same[name] == pytest.approx(row[name], rel=TOLERANCE[model]), (row["epoch"], name)


def test_the_step_of_a_full_batch_is_recorded_though_a_smaller_one_comes_first_at_that_call() -> None:
    calls: list[int] = []

    def count(x: torch.Tensor) -> None:
        calls.append(len(x))
        x.add_(1)

    step = CapturedStep(count, ())
    for size in (4, 4, 4, 2, 4, 4, 2):  # the fourth call is the first that may be recorded
        step(torch.zeros(size, device="cuda"))
    assert calls == [4, 4, 4, 2, 4, 2], "the fifth records, what follows of its shape replays"


@pytest.mark.parametrize("model", MODELS)
def test_bf16_on_a_gpu_gives_what_fp32_gives_to_its_three_digits(
    digits: ImageDataset, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, exact = trained(digits, "cuda", model)
    _, recorded = trained(digits, "cuda", model, precision="bf16")
    monkeypatch.setattr("sweep.training.captured_step.FIRST_STEPS", 10**9)
    _, plain = trained(digits, "cuda", model, precision="bf16")
    for name in LOSSES:
        assert recorded[-1][name] == pytest.approx(plain[-1][name], rel=2e-2), name
        assert recorded[-1][name] == pytest.approx(exact[-1][name], rel=5e-2), name
        assert recorded[-1][name] != exact[-1][name], name


@pytest.mark.parametrize("model", MODELS)
def test_the_same_trial_twice_agrees_on_a_gpu(digits: ImageDataset, model: str) -> None:
    (_, first), (_, second) = (trained(digits, "cuda", model, augment="full") for _ in range(2))
    for row, same in zip(first, second, strict=True):
        for name in LOSSES:
            assert same[name] == pytest.approx(row[name], rel=TOLERANCE[model]), (row["epoch"], name)


def test_a_state_taken_on_a_gpu_goes_on_there_as_if_never_stopped(digits: ImageDataset) -> None:
    trial, rows = trained(digits, "cuda", "cnn", epochs=3, augment="crop-flip")
    stopped, _ = trained(digits, "cuda", "cnn", epochs=2, augment="crop-flip")
    resumed, _ = trained(digits, "cuda", "cnn", epochs=0, augment="crop-flip")
    resumed.load_state_dict(stopped.state_dict())
    row = resumed.train_epoch()
    assert trial.step == resumed.step
    for name in LOSSES:
        assert row[name] == pytest.approx(rows[-1][name], rel=TOLERANCE["cnn"]), name
