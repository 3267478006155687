"""The commands as a user types them, on one small sweep."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import analysis
from cluster.errors import PreflightError
from cluster.preflight import has_gpu
from sweep.cli.app import app, main
from sweep.cli.terminal import print_json, shown
from sweep.data.dataset import load_dataset
from sweep.simulation.plan import plan_sweep
from sweep.spec import SweepSpec
from sweep.store.folder import LocalFolder
from sweep.tuning.overview import overview
from tests.planted_sweep import epoch, trial, write_sweep

STUDY = """
name: small
model: mlp
model_args: {hidden: [32]}
dataset: digits
epochs: 3
space: {lr: {choice: [0.01, 0.001]}}
search: {algorithm: grid}
scheduler: none
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("commands")
    (path / "study.yaml").write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def sweep_dir(folder: Path) -> Path:
    done = own_process(folder, "run", "study.yaml", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["statuses"] == {"COMPLETED": 2}
    assert answer["best"]["best_val_acc"] > 0.3
    assert "2/2 trials ended" in done.stderr
    return Path(answer["path"])


def own_process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`sweep ARGUMENTS` as it is typed in `folder`."""
    return subprocess.run(
        [sys.executable, "-c", "from sweep.cli.app import main; main()", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )


Sweep = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def sweep(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Sweep:
    """The same within this process: a start of Python costs more than most commands."""
    monkeypatch.chdir(folder)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["sweep", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit:
            main()
        printed, said = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, int(exit.value.code or 0), printed, said)

    return run


def test_run_writes_two_tables_and_a_manifest_under_results(folder: Path, sweep_dir: Path) -> None:
    assert sweep_dir.parent == folder / "results"
    assert sweep_dir.name.startswith("small-")
    assert len(pd.read_parquet(sweep_dir / "epochs.parquet")) == 6
    assert len(pd.read_parquet(sweep_dir / "trials.parquet")) == 2
    assert json.loads((sweep_dir / "sweep.json").read_text())["state"] == "COMPLETED"
    assert not list(sweep_dir.glob("checkpoints/*"))


def test_list_shows_the_sweep(sweep: Sweep, sweep_dir: Path) -> None:
    (listed,) = json.loads(sweep("list", "--json").stdout)
    assert (listed["sweep_id"], listed["state"], listed["trials"], listed["epochs"]) == (
        sweep_dir.name,
        "COMPLETED",
        2,
        6,
    )
    assert sweep_dir.name in sweep("list").stdout


def test_resume_of_a_complete_sweep_has_nothing_to_do(sweep: Sweep, sweep_dir: Path) -> None:
    before = (sweep_dir / "epochs.parquet").read_bytes()
    done = sweep("resume", str(sweep_dir))
    assert done.returncode == 0
    assert "nothing is left to train" in done.stderr
    assert (sweep_dir / "epochs.parquet").read_bytes() == before


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_export_gives_the_same_rows(sweep: Sweep, sweep_dir: Path, tmp_path: Path, kind: str) -> None:
    done = sweep("export", str(sweep_dir), "--format", kind, "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    epochs_path, trials_path = map(Path, done.stdout.split())
    read = {"csv": pd.read_csv, "json": lambda path: pd.read_json(path, lines=True), "parquet": pd.read_parquet}[kind]
    stored = analysis.load(sweep_dir)
    for path, table in ((epochs_path, stored.epochs), (trials_path, stored.trials)):
        assert list(read(path).columns) == list(table.columns)
        assert len(read(path)) == len(table)
    assert read(epochs_path)["val_loss"].tolist() == pytest.approx(stored.epochs["val_loss"].tolist(), abs=1e-9)


def test_lists_are_json_in_csv(tmp_path: Path) -> None:
    trials = [trial([epoch(1.0, 0.9, 0.5, variance_shift=[0.5] * 12)]), trial([epoch(1.0, 0.9, 0.5)], lr=0.1)]
    done = CliRunner().invoke(app, ["export", str(write_sweep(tmp_path / "s", trials)), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    cells = pd.read_csv(tmp_path / "epochs.csv")["variance_shift"]
    assert json.loads(cells.dropna().item()) == [0.5] * 12


def test_report_is_a_page_with_its_figures(folder: Path, sweep: Sweep, sweep_dir: Path) -> None:
    done = sweep("report", str(sweep_dir))
    assert done.returncode == 0, done.stderr
    path = folder / done.stdout.strip()
    assert path == sweep_dir / "report.html"
    page = path.read_text()
    HTMLParser().feed(page)
    assert sweep_dir.name in page
    for heading in ("Learning curves", "Gap over epochs", "Gap per configuration", "Parallel coordinates"):
        assert f"<h3>{heading}" in page  # one without anything to show stands in a list at the end


def test_what_only_looks_at_a_sweep(sweep_dir: Path, tmp_path: Path) -> None:
    def said(*arguments: str) -> str:
        done = CliRunner().invoke(app, list(arguments))
        assert done.exit_code == 0, done.output
        return done.stdout

    status = said("status", sweep_dir.name, "--storage", str(sweep_dir.parent))
    for line in ("state    COMPLETED", "trials   2 of 2 ended, 2 completed; 6 epochs stored", "best     val_acc 0."):
        assert line in status
    assert said("verify", str(sweep_dir)) == "sound: 6 epochs of 2 trials\n"
    assert json.loads(said("verify", str(sweep_dir), "--json"))["rows"] == {"epochs": 6, "trials": 2}
    said("report", str(sweep_dir), "--out", str(tmp_path / "report.md"))
    assert (tmp_path / "report.md").read_text().startswith(f"## {sweep_dir.name}")


def test_doctor_looks_at_this_machine_and_its_storage(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["doctor", "--storage", str(tmp_path / "results"), "--json"])
    assert done.exit_code == 0, done.output
    (node,) = json.loads(done.stdout)
    assert (node["problems"], node["cpus"]) == ([], os.cpu_count())
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(app, ["doctor", "--storage", str(tmp_path / "file" / "below")])
    assert isinstance(done.exception, PreflightError)
    assert "--storage" in str(done.exception)
    assert "cannot be written" in str(done.exception)


def test_plan_counts_and_measures(sweep: Sweep) -> None:
    done = sweep("plan", "full-search", "--json", "--no-probe", "--at-once", "2", "--set", "dataset=digits")
    plan = json.loads(done.stdout)
    assert (plan["configurations"], plan["trials"], plan["full_epochs"]) == (64, 64, 1280)
    assert plan["rungs"] == [2, 6, 18]
    # If exactly a third passed each rung: 2 * 64 + 4 * 21 + 12 * 7 + 2 * 2 = 300; so do the best of few.
    assert plan["expected_epochs"] == 350
    probed = sweep("plan", "study.yaml", "--json", "--at-once", "2", "--price", "3600")
    cost = json.loads(probed.stdout)
    assert cost["seconds_per_epoch"] > 0
    assert cost["wall_s"] == pytest.approx(cost["seconds_per_epoch"] * 6 / 2)
    assert cost["cost"] == pytest.approx(cost["seconds_per_epoch"] * 6)


def test_plan_counts_gpus_and_measures_them_only_where_there_are_some(folder: Path, sweep: Sweep) -> None:
    prices = ["budget.price_per_cpu_hour=1", "budget.price_per_gpu_hour=3", "resources.gpus_per_trial=0.5"]
    spec = SweepSpec.load(folder / "study.yaml", prices)
    cost = plan_sweep(spec, 2).cost(7200, spec)
    assert (cost["cpu_hours"], cost["gpu_hours"], cost["cost"]) == (12, 6, 12 + 3 * 6)
    if has_gpu():
        pytest.skip("this machine has a GPU: nothing is left unmeasured")
    options = [part for price in prices for part in ("--set", price)]
    done = sweep("plan", "study.yaml", "--json", *options)
    assert "this machine has no GPU" in done.stderr
    assert "gpu_hours" not in json.loads(done.stdout)


def test_plan_puts_no_more_trials_beside_each_other_than_there_is_room_for(sweep: Sweep) -> None:
    bounds = ("--set", "resources.max_concurrent=4000", "--set", "budget.max_hours=2")
    planned = json.loads(sweep("plan", "study.yaml", "--json", "--no-probe", *bounds).stdout)
    assert planned["trials_at_once"] == os.cpu_count()
    said = sweep("plan", "study.yaml", "--no-probe", *bounds).stdout
    assert "budget          max_hours 2: may end it earlier" in said


def test_list_passes_over_what_it_may_not_look_into_and_warns_of_what_it_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = {"schema_version": 1, "sweep_id": "a-1", "name": "a", "created": "2026-01-02", "state": "COMPLETED"}
    (tmp_path / "a-1").mkdir()
    (tmp_path / "a-1" / "sweep.json").write_text(json.dumps({**manifest, "spec": {"name": "a", "no_such_key": 1}}))
    (tmp_path / "lost+found").mkdir()
    looked: list[str] = []

    def of_another_user(folder: LocalFolder) -> dict[str, Any]:  # root, as tests may run, is let in everywhere
        looked.append(folder.name)
        if folder.name == "lost+found":
            raise PermissionError(13, "Permission denied", str(folder))
        return overview(folder)

    monkeypatch.setattr("sweep.tuning.overview.overview", of_another_user)
    done = CliRunner().invoke(app, ["list", "--storage", str(tmp_path)])
    assert (done.exit_code, looked) == (0, ["a-1", "lost+found"])
    assert "no_such_key" in done.output
    assert "Permission" not in done.output


def test_what_is_printed_for_programs_is_json_whatever_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"best": {"last_val_loss": float("nan"), "gap": (float("inf"), 1.5)}, "path": Path("x")})
    printed = capsys.readouterr().out
    assert json.loads(printed, parse_constant=pytest.fail) == {
        "best": {"last_val_loss": None, "gap": [None, 1.5]},
        "path": "x",
    }


def test_a_path_with_spaces_is_quoted_in_the_commands_to_go_on_with() -> None:
    assert shown(Path.cwd() / "my results" / "a-1") == "'my results/a-1'"
    assert shown("s3://bucket/results/a-1") == "s3://bucket/results/a-1"


def test_validate_accepts_every_shipped_study_on_data_that_is_there(sweep: Sweep) -> None:
    from search_spaces.study_file import study_names

    assert {"quickstart", "mlp-baseline", "cnn-baseline", "no-batch-norm", "no-dropout"} <= set(study_names())
    for name in study_names():
        done = sweep("validate", name, "--set", "dataset=digits")
        assert done.returncode == 0, done.stderr
        assert "valid" in done.stdout


def test_validate_prints_a_json_schema(sweep: Sweep) -> None:
    schema = json.loads(sweep("validate", "--schema").stdout)
    assert schema["properties"]["model"]["enum"] == ["mlp", "cnn"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("resume", "nowhere"), "no sweep.json here"),
        (("report", "nowhere"), "no sweep.json here"),
        (("run", "study.yaml", "--set", "resources.cpus_per_trial=4000"), "resources.cpus_per_trial"),
        (("run", "study.yaml", "--storage", "study.yaml/below"), "--storage"),
        (("run", "study.yaml", "--set", "train_size=5000"), "train_size"),
        (("plan", "study.yaml", "--set", "train_size=5000"), "train_size"),
        (("run",), "Missing argument"),
        (("export", "results", "--format", "xlsx"), "xlsx"),
        (("no-such-command",), "no-such-command"),
    ],
)
def test_what_cannot_be_done_exits_2_without_a_traceback(
    folder: Path, sweep: Sweep, arguments: tuple[str, ...], said: str
) -> None:
    before = sorted(path.name for path in folder.glob("results/*"))
    done = sweep(*arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in folder.glob("results/*")) == before


def test_when_every_trial_fails_the_exit_code_is_1(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A fault that only training meets: labels beyond the classes, in a cache whose sizes are right.
    cache = tmp_path / "cache"
    monkeypatch.setenv("GAPSWEEP_CACHE", str(cache))
    load_dataset("digits", cache_dir=cache)
    (labels,) = cache.rglob("train_labels.npy")
    stored = np.load(labels)
    labels.chmod(0o644)
    np.save(labels, np.full_like(stored, 99))
    done = own_process(folder, "run", "study.yaml", "--storage", str(tmp_path / "results"))
    assert done.returncode == 1, done.stderr
    assert "FAILED (error) after 0 epochs" in done.stderr
    assert "Target 99 is out of bounds" in done.stderr


def test_where_nobody_reads_the_messages_any_more_the_command_goes_on() -> None:
    """As in `sweep run 2>&1 | tee log`, where Ctrl-C ends tee, too."""
    script = (
        "from sweep.cli.terminal import say; say('heard'); input(); [say('not heard') for _ in range(3)]; print('done')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "heard\n"
    process.stderr.close()
    printed, _ = process.communicate("\n", timeout=60)
    assert (process.returncode, printed) == (0, "done\n")
