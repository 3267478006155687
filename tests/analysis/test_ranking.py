"""Which configuration is called the best."""

from pathlib import Path

import analysis
from analysis.findings import findings
from analysis.ranking import rank_configurations
from sweep.store.folder import LocalFolder
from sweep.tuning.result import summarise
from tests.planted_sweep import epoch, trial, write_sweep


def planted(folder: Path) -> Path:
    lucky = {"lr": 0.1, "configuration_id": "lucky"}
    failed = {"lr": 0.2, "configuration_id": "failed"}
    sound = {"lr": 0.3, "configuration_id": "sound"}
    return write_sweep(
        folder,
        [
            trial([epoch(1.0, 1.0, 0.9)], **lucky),
            trial([epoch(1.0, 1.0, 0.95)], replicate=1, status="STOPPED", stop_reason="diverged", **lucky),
            trial([epoch(1.0, 1.0, 0.99)], status="FAILED", stop_reason="error", **failed),
            trial([epoch(1.0, 1.0, 0.5)], **sound),
            trial([epoch(1.0, 1.0, 0.6)], replicate=1, **sound),
        ],
    )


def test_a_configuration_that_lost_a_seed_stands_behind_all_others(tmp_path: Path) -> None:
    ranked = rank_configurations(analysis.load(planted(tmp_path / "s")))
    assert list(ranked["configuration_id"]) == ["sound", "failed", "lucky"]
    assert list(ranked["rank"]) == [1, 2, 3]


def test_it_is_said_among_how_many_it_is_the_best(tmp_path: Path) -> None:
    folder = planted(tmp_path / "s")
    (best,) = (finding.text for finding in findings(analysis.load(folder)) if finding.title == "Best configuration.")
    assert "highest of" not in best  # the others are higher, and lost a seed


def test_the_best_trial_neither_failed_nor_diverged(tmp_path: Path) -> None:
    best = summarise(LocalFolder(planted(tmp_path / "s"))).best
    assert best is not None
    assert best["best_val_acc"] == 0.9
