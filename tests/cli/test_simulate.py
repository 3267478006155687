"""sweep simulate on the recorded curves that lie in the repository."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from search_spaces.errors import SpecError
from sweep.cli.app import app

CURVES = str(Path(__file__).parents[2] / "benchmarks" / "curves" / "cifar10-mlp")


def simulate(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["simulate", CURVES, *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_line_for_each_combination() -> None:
    varied = ("--vary", "scheduler.variant=stop,promote", "--vary", "scheduler.reduction_factor=2,4")
    lines = simulate(*varied, "--workers", "2,16", "--repetitions", "2", "--set", "search.trials=20").splitlines()
    assert lines[0].split()[:3] == ["scheduler.variant", "scheduler.reduction_factor", "workers"]
    assert len(lines) == 1 + 8 + 1
    assert [line.split()[:3] for line in lines[1:3]] == [["stop", "2", "2"], ["stop", "2", "16"]]


def test_json_holds_the_settings_and_what_they_gave() -> None:
    cases = json.loads(simulate("--json", "--workers", "4,8", "--repetitions", "3", "--set", "scheduler=none"))
    assert [case["workers"] for case in cases] == [4, 8]
    for case in cases:
        assert case["epochs"]["median"] <= case["full_epochs"] == 20 * 20
        assert 0.3 < case["best_val_acc"]["median"] < case["best_recorded"] + 0.05
        assert case["repetitions"] == 3
    assert cases[0]["wall_s"]["median"] > cases[1]["wall_s"]["median"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--vary", "scheduler.variant"), "--vary scheduler.variant: allowed: KEY=A,B"),
        (("--workers", "0"), "--workers: got '0'; allowed: integers from 1"),
        (("--set", "epochs=30"), "epochs: got 30; allowed: up to 20"),
        (("--set", "space.layer_order=rlbd"), "space.layer_order: got 'rlbd'; allowed: lbrd, ldbr"),
        (("--set", "space.optimizer=sgd"), "space.optimizer: got 'sgd'; allowed: 'adam', as was recorded"),
        (("--set", "space.weight_decay=0.1"), "space.weight_decay: got 0.1; allowed: 0.0, as was recorded"),
        (("--set", "space.drop_rate={uniform: [0, 0.9]}"), "space.drop_rate: got 0.9; allowed: 0 to 0.8, as was"),
        (("--set", "space.lr={choice: [0.01, 1e-9, 0.001]}"), "space.lr: got 1e-09; allowed: "),
        (
            ("--vary", "scheduler.variant=stop", "--vary", "scheduler.variant=promote"),
            "scheduler.variant: got it twice",
        ),
        (("--vary", "model_args.hidden=[64],[128]"), "--vary model_args.hidden: got it for curves that were recorded"),
        (("--speed-spread", "inf"), "speed_spread: got inf; allowed: a finite number"),
        (("--vary", "scheduler.variant=stop,halt"), "scheduler.variant: got 'halt'; allowed: one of promote"),
    ],
)
def test_what_cannot_be_simulated_is_said(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(SpecError) as caught:
        simulate(*arguments)
    assert said in str(caught.value)


def test_what_the_curves_cannot_tell_is_said() -> None:
    small = ("--repetitions", "1", "--set", "search.trials=5")
    done = CliRunner().invoke(app, ["simulate", CURVES, *small, "--set", "train_size=1000"])
    assert done.exit_code == 0, done.output
    assert "train_size: got 1000, answered by curves of 5000" in done.stderr
