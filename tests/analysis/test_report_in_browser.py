"""The report in a real browser, without a network: it draws, sorts, says nothing on the console, and runs no text."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from planted_sweep import epoch, trial, write_sweep

import analysis

EVIL = "<script>alert(1)</script>"
BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
# Graphics drivers speak on the console, too; that is about the machine.
OF_THE_MACHINE = re.compile(r"WebGL|GL Driver|swiftshader", re.I)

pytestmark = pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine")


def opened(page: Path, profile: Path) -> tuple[str, list[str]]:
    """The document after its scripts have run, and what the console said."""
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={profile}",
         "--virtual-time-budget=20000", "--enable-logging=stderr", "--dump-dom", f"file://{page}"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line and not OF_THE_MACHINE.search(line)]
    return done.stdout, said


def study(order: str) -> list[dict]:
    """Four configurations, three seeds, six epochs, with all that the figures draw."""
    parts = {
        "train_mode_loss": 0.7,
        "val_loss_without_lag": 0.9,
        "val_loss_without_shift": 0.85,
        "variance_shift": [0.8],
    }
    return [
        trial(
            [epoch(2 / e + 0.1 * seed + rate, 1 / e, 0.5 - 0.2 / e, **parts) for e in range(1, 7)],
            layer_order=name, drop_rate=rate, replicate=seed,
        )
        for name in (order, "lbrd") for rate in (0.1, 0.5) for seed in range(3)
    ]  # fmt: skip


def test_every_figure_is_drawn_and_the_console_stays_silent(tmp_path: Path):
    folder = write_sweep(tmp_path / "s", study("ldbr"), space={"drop_rate": {"choice": [0.1, 0.5]}})
    page = analysis.report(analysis.load(folder), tmp_path / "report.html")
    document, said = opened(page, tmp_path / "profile")
    assert said == []
    places = document.count('<script type="application/json">')
    assert places >= 10
    assert len(re.findall(r'class="figure js-plotly-plot"', document)) == places


def test_a_script_in_a_configuration_stays_text(tmp_path: Path):
    folder = write_sweep(tmp_path / "s", study(EVIL), sweep_id=EVIL, state=EVIL)
    page = analysis.report(analysis.load(folder), tmp_path / "report.html")
    # Whatever ran would be seen: the first alert renames the document.
    page.write_text(page.read_text().replace("<main>", "<main><script>alert = () => document.title = 'ran'</script>"))
    document, said = opened(page, tmp_path / "profile")
    assert said == []
    assert "<title>ran" not in document
    assert EVIL not in document
    drawn = re.sub(r"<script.*?</script>", "", document, flags=re.S)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in drawn.rpartition("</header>")[2]


def test_a_click_on_a_header_sorts_its_table(tmp_path: Path):
    trials = [trial([epoch(1 + k, 0.5, 0.5 - k / 10)], lr=0.1 * (k + 1)) for k in (1, 0, 2)]
    page = analysis.report(analysis.load(write_sweep(tmp_path / "s", trials)), tmp_path / "report.html")
    click = "<script>[...document.querySelectorAll('th button')].find(b => b.textContent === 'lr').click()</script>"
    before, after = page.read_text().rsplit("</body>", 1)
    page.write_text(f"{before}{click}</body>{after}")
    document, _ = opened(page, tmp_path / "profile")
    table = document.split("Best configurations</h2>")[1].split("</table>")[0]
    assert 'aria-sort="descending"' in table
    assert re.findall(r'<tr><td data-v="\d">\d</td><td data-v="(.*?)">', table) == ["0.3", "0.2", "0.1"]
