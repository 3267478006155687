"""What a sweep is begun with."""

from pathlib import Path

import pytest

from sweep.data.dataset import load_dataset
from sweep.spec import SweepSpec
from sweep.tuning import number_format
from sweep.tuning.manifest_content import manifest_content


@pytest.mark.parametrize("on_a_cluster", [False, True])
def test_it_says_what_the_sweep_computes_in(
    data_cache: Path, monkeypatch: pytest.MonkeyPatch, on_a_cluster: bool
) -> None:
    monkeypatch.setattr(number_format, "_cpu_flags", lambda: {"avx2"})
    spec = SweepSpec.load({"name": "s", "model": "mlp", "dataset": "digits", "epochs": 1})
    digits = load_dataset("digits", cache_dir=data_cache)
    manifest = manifest_content("s-1", spec, digits, on_a_cluster=on_a_cluster)
    assert manifest["precision"] == ("fp32" if on_a_cluster else "int16")
