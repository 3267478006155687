"""Which number format a trial computes in, and what that changes."""

import pytest
import torch

from search_spaces.space import SearchSpace
from sweep.data.dataset import ImageDataset
from sweep.training.precision import resolve_precision
from sweep.training.trial import Trial


def test_auto_is_bf16_only_where_the_cpu_multiplies_it() -> None:
    present = torch.cpu.get_capabilities()
    native = present.get("amx_bf16") or present.get("avx512_bf16")
    assert resolve_precision("auto", "cpu") == ("bf16" if native else "fp32")
    assert resolve_precision("auto", "cuda") == "fp32"


@pytest.mark.parametrize("word", ["fp32", "bf16"])
def test_a_format_that_is_asked_for_is_taken(word: str) -> None:
    assert resolve_precision(word, "cpu") == word


def test_another_word_is_named_with_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="precision: got 'fp16'; allowed are 'auto', 'fp32' and 'bf16'"):
        resolve_precision("fp16", "cpu")


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_bf16_learns_what_fp32_learns_with_weights_in_fp32(model: str, digits: ImageDataset) -> None:
    arguments = {"hidden": [64]} if model == "mlp" else {"channels": [4, 8]}
    configuration = SearchSpace({}).resolve({"lr": 3e-3})
    rows = {}
    for precision in ("fp32", "bf16"):
        trial = Trial(
            digits,
            configuration,
            model=model,
            model_args=arguments,
            sweep_seed=1,
            replicate=0,
            precision=precision,
        )
        for _ in range(3):
            rows[precision] = trial.train_epoch()
        assert {p.dtype for p in trial.model.parameters()} == {torch.float32}
    assert rows["fp32"]["val_loss"] != rows["bf16"]["val_loss"]
    assert rows["bf16"]["val_acc"] == pytest.approx(rows["fp32"]["val_acc"], abs=0.03)
