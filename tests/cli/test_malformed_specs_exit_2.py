"""Every malformed spec, given to the real command: exit code 2, one message, no traceback, nothing started."""

import sys
from pathlib import Path

import pytest
from malformed_specs import MALFORMED_SPECS, MalformedSpec

from sweep.cli.app import main


@pytest.mark.parametrize("case", MALFORMED_SPECS, ids=lambda case: case.id)
def test_a_malformed_spec_exits_2_with_one_clear_message(
    case: MalformedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["sweep", "run", case.source(tmp_path), "--storage", str(tmp_path / "results")]
    for override in case.overrides:
        arguments += ["--set", override]
    monkeypatch.setattr(sys, "argv", arguments)  # in this process: a start of Python costs more than all of these
    with pytest.raises(SystemExit) as exit:
        main()
    assert exit.value.code == 2
    printed, said = capfd.readouterr()
    assert printed == ""
    assert said.startswith("error: ")
    assert "Traceback" not in said
    for fragment in case.fragments:
        assert fragment in said
    assert not (tmp_path / "results").exists()
