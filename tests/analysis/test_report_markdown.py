"""The report as Markdown: the same findings, escaped, for every state of a sweep."""

from pathlib import Path

import pytest
from planted_sweep import epoch, trial, write_sweep

import analysis
from analysis.page.markdown import escape

EVIL = "<script>alert(1)</script> | [x](javascript:alert(1)) `` **b** ![i](j)\n# h"


def written(folder: Path) -> str:
    return analysis.report(analysis.load(folder), folder / "report.md").read_text()


def study() -> list[dict]:
    """Two orders, three seeds; the second one's validation loss is higher by some 0.3 nats in each."""
    rises = {"lbrd": [0, 0, 0], "ldbr": [0.3, 0.301, 0.302]}
    return [
        trial([epoch(1 + 0.01 * seed + rise, 0.5, 0.6)] * 2, layer_order=order, replicate=seed)
        for order, by_seed in rises.items()
        for seed, rise in enumerate(by_seed)
    ]


def test_it_has_the_findings_and_each_difference_with_interval_and_n(tmp_path: Path):
    folder = write_sweep(tmp_path / "s", study(), space={"layer_order": {"choice": ["lbrd", "ldbr"]}})
    text = written(folder)
    assert text.startswith("## s\n")
    assert "**Best configuration.** lbrd: validation accuracy 60.0 %" in text
    assert "| layer_order ldbr against lbrd | val_loss | 0.301 | 0.299 | 0.303 | &lt; 0.001 | 3 |" in text
    assert "- **Learning curves.** At epoch 2" in text
    assert "Rank correlation" not in text


@pytest.mark.parametrize(
    "trials",
    [
        [],
        [trial([], status="FAILED", error="ValueError: boom")],
        [trial([], status="RUNNING")],
        [trial([epoch(float("nan"), float("inf"), float("nan"))], status="STOPPED", stop_reason="diverged")],
    ],
    ids=["empty", "failed", "running", "nan"],
)
def test_every_state_of_a_sweep_can_be_written(tmp_path: Path, trials: list[dict]):
    assert written(write_sweep(tmp_path / "s", trials)).startswith("## s\n")


def test_strings_from_a_configuration_stay_text_and_break_no_table(tmp_path: Path):
    trials = [trial([epoch(1 + k, 0.5, 0.5)], layer_order=f"{k}{EVIL}", lr=0.1 + k, error=EVIL) for k in range(3)]
    text = written(write_sweep(tmp_path / "s", trials, sweep_id=EVIL))
    assert "<script" not in text
    assert "](j" not in text.replace("\\]", "")
    assert "\n# h" not in text
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("| ")]
    assert "### Best configurations\n\n| " in text
    for table in tables:
        assert len({line.replace("\\|", "").count("|") for line in table}) == 1


def test_names_with_underscores_read_as_they_are_written():
    assert escape("drop_rate 0.25 · a_b") == "drop_rate 0.25 · a_b"
    assert escape("_emphasis_") == "\\_emphasis\\_"


def test_another_ending_is_refused_by_name(tmp_path: Path):
    results = analysis.load(write_sweep(tmp_path / "s", []))
    with pytest.raises(ValueError, match=r"report\.pdf ends in '\.pdf'; name a file that ends in \.html or \.md"):
        analysis.report(results, tmp_path / "report.pdf")
