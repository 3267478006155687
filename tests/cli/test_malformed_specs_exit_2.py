"""Every malformed spec, given to the real command: exit code 2, one message, no traceback, nothing started."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from malformed_specs import MALFORMED_SPECS, MalformedSpec


def run_command(case: MalformedSpec, folder: Path) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    arguments = ["run", case.source(folder), "--storage", str(folder / "results")]
    for override in case.overrides:
        arguments += ["--set", override]
    code = "from sweep.cli.app import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[subprocess.CompletedProcess[str], Path]]:
    """All commands run two at a time: each costs a Python start."""
    folders = {case.id: tmp_path_factory.mktemp("malformed") / "case" for case in MALFORMED_SPECS}
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda case: run_command(case, folders[case.id]), MALFORMED_SPECS)
        return {case.id: (process, folders[case.id]) for case, process in zip(MALFORMED_SPECS, done, strict=True)}


@pytest.mark.parametrize("case", MALFORMED_SPECS, ids=lambda case: case.id)
def test_a_malformed_spec_exits_2_with_one_clear_message(
    case: MalformedSpec, finished: dict[str, tuple[subprocess.CompletedProcess[str], Path]]
) -> None:
    process, folder = finished[case.id]
    assert process.returncode == 2, process.stderr
    assert process.stdout == ""
    assert process.stderr.startswith("error: ")
    assert "Traceback" not in process.stderr
    for fragment in case.fragments:
        assert fragment in process.stderr
    assert not (folder / "results").exists()
