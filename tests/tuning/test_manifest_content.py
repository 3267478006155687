"""What a sweep is begun with."""

from pathlib import Path

import pytest

from sweep.data.dataset import load_dataset
from sweep.spec import SweepSpec
from sweep.tuning import number_format
from sweep.tuning.manifest_content import manifest_content


@pytest.mark.parametrize(("asked", "here", "on_a_cluster"), [("auto", "bf16", "fp32"), ("bf16", "bf16", "bf16")])
def test_the_driver_s_cpu_says_nothing_of_a_cluster_s(
    data_cache: Path, monkeypatch: pytest.MonkeyPatch, asked: str, here: str, on_a_cluster: str
) -> None:
    monkeypatch.setattr(number_format, "_cpu_flags", lambda: {"avx512_bf16"})
    spec = SweepSpec.load({"name": "s", "model": "mlp", "dataset": "digits", "epochs": 1, "precision": asked})
    digits = load_dataset("digits", cache_dir=data_cache)
    assert manifest_content("s-1", spec, digits)["precision"] == here
    assert manifest_content("s-1", spec, digits, on_a_cluster=True)["precision"] == on_a_cluster
