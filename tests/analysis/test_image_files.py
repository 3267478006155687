"""Figures as files, drawn by a real browser."""

import shutil
from pathlib import Path

import pytest
from PIL import Image
from planted_sweep import epoch, trial, write_sweep

import analysis

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def results(folder: Path) -> analysis.Results:
    trials = [trial([epoch(1 + k / e, 0.5, 0.5) for e in range(1, 4)], lr=0.1 + k) for k in range(3)]
    return analysis.load(write_sweep(folder, trials))


@pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine")
def test_every_figure_with_something_to_show_becomes_an_image_of_its_name(tmp_path: Path):
    files = analysis.save_figures(results(tmp_path / "s"), tmp_path / "images", "png")
    assert {"learning_curves.png", "gap_curves.png", "slices.png"} <= {file.name for file in files}
    assert "rung_funnel.png" not in {file.name for file in files}
    for file in files:
        with Image.open(file) as image:
            assert image.size[0] == 3000
            assert len(image.convert("L").getcolors()) > 5, f"{file.name} is blank"


def test_another_format_is_refused_by_name(tmp_path: Path):
    with pytest.raises(ValueError, match="format 'gif' is not known; choose one of svg, png, pdf"):
        analysis.save_figures(results(tmp_path / "s"), tmp_path, "gif")
