"""sweep compare, on recorded curves."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sweep.cli.app import app

CURVES = str(Path(__file__).parents[2] / "benchmarks" / "curves" / "cifar10-mlp")


def compare(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["compare", CURVES, *words])
    return done.exit_code, done.output


def test_pairs_come_with_interval_and_verdict_and_say_where_they_were_measured() -> None:
    code, said = compare("layer_order", "--value", "val_acc")
    assert code == 0
    assert "lbrd − ldbr" in said
    assert "val_acc at epoch 20; n counts replicates" in said


def test_the_table_is_whole_however_narrow_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    code, said = compare("drop_rate", "--baseline", "0", "--value", "val_acc")
    page = (Path(__file__).parents[2] / "docs" / "analysis.md").read_text()
    shown = page.partition("$ sweep compare benchmarks/curves/cifar10-mlp drop_rate")[2].splitlines()[1:6]
    assert code == 0
    assert [line.rstrip() for line in said.splitlines()] == shown


def test_as_json_it_is_the_table_of_analysis_compare() -> None:
    code, said = compare("drop_rate", "--baseline", "0", "--json")
    told = json.loads(said)
    assert (code, told["epoch"], [pair["a"] for pair in told["pairs"]]) == (0, 20, ["0.3", "0.6", "0.8"])
    assert all(pair["low"] < pair["difference"] < pair["high"] for pair in told["pairs"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["layer"], "factor 'layer' is not a column of trials"),
        (["layer_order", "--value", "accuracy"], "value 'accuracy' is not a measure"),
        (["layer_order", "--at", "best", "--epoch", "3"], "epoch=3 goes with at='matched' only"),
        (["layer_order", "--epoch", "99"], "no trial has a finite val_loss at epoch 99\n"),
        (["layer_order", "--value", "averaging"], "no trial has a finite averaging at epoch 20; `decompose: true`"),
    ],
)
def test_what_cannot_be_compared_is_an_error(words: list[str], said: str) -> None:
    code, output = compare(*words)
    assert code == 2
    assert said in output


def test_one_level_is_nothing_to_compare() -> None:
    assert compare("optimizer") == (0, "optimizer has one level with values here, so there is nothing to compare\n")
