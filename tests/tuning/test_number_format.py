"""Which number format `precision` stands for."""

from typing import Any

import pytest
import torch

from sweep.models.linear import FEWEST_WEIGHTS, MOST_THREADS
from sweep.spec import SweepSpec
from sweep.spec_agreement import FEWEST_INT16_WEIGHTS
from sweep.tuning import number_format as module
from sweep.tuning.number_format import MOST_CPUS_FOR_INT16, format_of_final_round, number_format

AVX2 = {"avx2", "fma"}
ON_A_GPU = {"resources": {"gpus_per_trial": 1}}


def spec(model: str = "mlp", **keys: Any) -> SweepSpec:
    return SweepSpec.load({"name": "s", "model": model, "dataset": "digits", "epochs": 1, **keys})


@pytest.mark.parametrize(
    ("flags", "asked", "wanted"),
    [
        (AVX2, spec(), "int16"),
        (AVX2, spec(resources={"cpus_per_trial": 2}), "int16"),
        (AVX2, spec(resources={"cpus_per_trial": 4}), "fp32"),  # torch's products use all of them
        (AVX2, spec("cnn"), "fp32"),
        (AVX2, spec(**ON_A_GPU), "fp32"),
        (AVX2, spec(precision="fp32"), "fp32"),
        (AVX2, spec(space={"layer_order": {"choice": ["lbrd", "ldbr"]}}), "int16"),
        (AVX2, spec(space={"layer_order": {"choice": ["lbrd", "blrd"]}}), "fp32"),
        (AVX2, spec(space={"layer_order": "blrd"}), "fp32"),
        (AVX2, spec(space={"layer_order": {"permutations": "lbrd"}}), "fp32"),
        (AVX2, spec(model_args={"hidden": [85]}), "fp32"),  # of 2**18 weights 86
        (AVX2, spec(model_args={"hidden": [86, 10]}), "int16"),
        (AVX2, spec(configurations=[{"lr": 0.1}, {"layer_order": "dlbr"}]), "fp32"),
        (AVX2, spec(configurations=[{"lr": 0.1}, {"layer_order": "lbdr"}]), "int16"),
        (AVX2 | {"avx512f"}, spec(), "fp32"),
        (AVX2 | {"avx512f", "avx512_bf16"}, spec(), "bf16"),
        (AVX2 | {"avx512f", "amx_bf16"}, spec("cnn"), "bf16"),
        (AVX2 | {"avx512f", "amx_bf16"}, spec(**ON_A_GPU), "fp32"),
        (set(), spec(), "fp32"),
        (set(), spec(precision="int16"), "int16"),
        (set(), spec(precision="bf16"), "bf16"),
    ],
)
def test_auto_is_the_fastest_that_all_configurations_have(
    flags: set[str], asked: SweepSpec, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_cpu_flags", lambda: flags)
    assert number_format(asked) == wanted
    # The driver's CPU says nothing of a cluster's.
    assert number_format(asked, on_a_cluster=True) == ("fp32" if asked.precision == "auto" else wanted)


def test_the_flags_are_those_of_this_cpu() -> None:
    present, flags = torch.cpu.get_capabilities(), module._cpu_flags()
    for name in ("avx2", "avx512_f", "amx_bf16", "avx512_bf16"):
        assert name in present
        assert (name.replace("_f", "f") in flags) == present[name], name


def test_a_layer_is_large_enough_where_the_models_say_so() -> None:
    assert FEWEST_INT16_WEIGHTS == FEWEST_WEIGHTS
    assert MOST_CPUS_FOR_INT16 == MOST_THREADS


@pytest.mark.parametrize(
    ("of_the_search", "keys", "wanted"),
    [("int16", {}, "int16"), ("int16", ON_A_GPU, "fp32"), ("bf16", ON_A_GPU, "bf16"), ("bf16", {}, "bf16")],
)
def test_a_final_round_has_its_search_s_but_for_int16_on_a_gpu(
    of_the_search: str, keys: dict[str, Any], wanted: str
) -> None:
    assert format_of_final_round({"precision": of_the_search}, spec(**keys)) == wanted


def test_a_manifest_without_one_is_of_a_time_that_knew_fp32_alone() -> None:
    assert format_of_final_round({}, spec()) == "fp32"
