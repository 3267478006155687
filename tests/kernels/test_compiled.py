"""How loops are compiled, and where their machine code is kept."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sweep.kernels.compiled
from sweep.kernels.compiled import inner

CALL = """
from compiled import compiled

@compiled
def twice(x):
    return x + x

print(twice(21.0))
"""


@pytest.mark.parametrize("writable", [True, False])
def test_code_is_kept_beside_the_source_and_compiled_anew_where_nothing_can_be_written(
    tmp_path: Path, writable: bool
) -> None:
    shutil.copy(sweep.kernels.compiled.__file__, tmp_path / "compiled.py")
    (tmp_path / "call.py").write_text(CALL)
    if not writable:
        (tmp_path / "__pycache__").touch()  # a file where a folder is needed, which stops root, too
    environment = os.environ | {"XDG_CACHE_HOME": "/proc", "NUMBA_CACHE_DIR": "", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "call.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "42.0\n", done.stderr
    assert bool(list(tmp_path.glob("__pycache__/call.twice*.nbi"))) == writable


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_kept_code_that_is_cut_short_is_made_again(tmp_path: Path, suffix: str) -> None:
    shutil.copy(sweep.kernels.compiled.__file__, tmp_path / "compiled.py")
    (tmp_path / "call.py").write_text(CALL)
    environment = os.environ | {"NUMBA_CACHE_DIR": "", "PYTHONDONTWRITEBYTECODE": "1"}

    def call() -> bytes:
        done = subprocess.run(
            [sys.executable, "call.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.stdout == "42.0\n", done.stderr
        (kept,) = tmp_path.glob(f"__pycache__/call.twice*{suffix}")
        whole = kept.read_bytes()
        kept.write_bytes(whole[: len(whole) // 2])
        return whole

    first = call()
    assert len(call()) == len(first)


def test_addresses_of_arrays_are_not_compared() -> None:
    @inner
    def copied(x: np.ndarray, y: np.ndarray) -> None:
        for i in range(len(x)):
            y[i] = x[i]

    copied(np.zeros(3), np.ones(3))
    (code,) = copied.inspect_llvm().values()
    assert {name for name in "xy" if re.search(rf"noalias[^,]* %arg\.{name}\.4", code)} == {"x", "y"}
