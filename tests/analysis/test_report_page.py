"""The report: whole, self-contained, escaped, small enough, for every state of a sweep."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from random import Random

import pytest
from planted_sweep import epoch, trial, write_sweep

import analysis
from analysis.page.header import header
from sweep.store.folder import LocalFolder
from sweep.store.lease import Lease

EVIL = "</script><img src=x onerror=alert(1)>"
PLOTLY = re.compile(r'<script id="plotly">.*?</script>', re.S)


class Page(HTMLParser):
    """Counts elements and collects the visible text and, by the heading above each, the JSON of the figures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.figures: dict[str, dict] = {}
        self.text = ""
        self._inside = self._heading = ""
        # Without Plotly's own code, which is not ours to check.
        self.feed(PLOTLY.sub("", text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._inside = "json" if ("type", "application/json") in attrs else tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "json":
            self.figures[self._heading] = json.loads(data)
        elif self._inside not in ("script", "style"):
            self.text += data
            self._heading = data if self._inside == "h3" else self._heading


def curve(n: int, seed: int) -> list[dict]:
    random = Random(seed)
    shift = random.uniform(0, 1)
    return [
        epoch(2 / e**0.5 + shift + random.gauss(0, 0.02) + 0.01 * e, 2 / e + shift, 0.6 - shift / 3 - 1 / (2 * e + 3))
        for e in range(1, n + 1)
    ]


def page_of(folder: Path) -> tuple[str, Page]:
    path = analysis.report(analysis.load(folder), folder / "report.html")
    text = path.read_text()
    return text, Page(text)


def test_a_single_trial_makes_a_report(tmp_path: Path):
    _, page = page_of(write_sweep(tmp_path / "mlp-baseline-1f", [trial(curve(30, 0))]))
    assert "mlp-baseline-1f" in page.text
    assert "1 (1 COMPLETED)" in page.text
    assert "Parallel coordinates need at least two trials" in page.text
    assert list(page.figures) == [
        "Learning curves",
        "Gap over epochs",
        "Gap per configuration",
        "Best so far",
        "Trials over time",
    ]


def test_seeds_of_one_configuration_make_a_report_with_all_that_was_measured(tmp_path: Path):
    measured = {
        "train_mode_loss": 0.7,
        "val_loss_without_lag": 0.9,
        "val_loss_without_shift": 0.8,
        "variance_shift": [0.8],
    }
    trials = [trial([row | measured for row in curve(9, seed)], replicate=seed) for seed in range(3)]
    _, page = page_of(write_sweep(tmp_path / "best-final-1f", trials))
    assert {"What the usual difference is made of", "What batch norm's statistics cost"} <= page.figures.keys()


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ([], "No trial has started."),
        ([trial([], lr=lr, status="FAILED", error="ValueError: boom") for lr in (0.1, 0.2)], "2 of 2 trials failed"),
        ([trial([epoch(1, 0.9, 0.3)], status="FAILED", error="boom")], "1 of 1 trials failed"),
        ([trial([], status="RUNNING")], "No trial has finished an epoch"),
        (
            [trial(curve(3, 0), status="RUNNING"), trial(curve(1, 1), status="RUNNING", lr=0.1)],
            "2 of 2 trials have epochs left",
        ),
        (
            [trial([epoch(float("nan"), float("inf"), float("nan"))] * 2, status="STOPPED", stop_reason="diverged")],
            "not finite",
        ),
        (
            [
                trial(curve(5, 0)),
                trial([epoch(1e30, float("-inf"), 0.1)] * 2, lr=9.0, status="STOPPED", stop_reason="diverged"),
            ],
            "1 of 2 trials stopped on a loss",
        ),
        ([trial(curve(1, k), lr=0.1 + k) for k in range(3)], "compared at epoch 1"),
        (
            [
                trial([epoch(float("nan"), float("nan"), 0.1)], lr=lr, status="STOPPED", stop_reason="diverged")
                for lr in range(1, 32)
            ],
            "31 of 31 trials stopped on a loss",
        ),
    ],
    ids=["empty", "failed", "failed-late", "no-epochs", "unfinished", "nan", "exploded", "one-epoch", "a-crowd-of-nan"],
)
def test_every_state_of_a_sweep_makes_a_report(tmp_path: Path, trials: list[dict], said: str):
    _, page = page_of(write_sweep(tmp_path / "s", trials))
    assert said in page.text
    assert "How to read the gap" in page.text


def test_trials_count_as_running_while_their_sweep_does(tmp_path: Path):
    trials = [trial(curve(3, k), status="RUNNING", replicate=k) for k in range(2)]
    folder = write_sweep(tmp_path / "s", trials, state="RUNNING")
    lease = Lease(LocalFolder(folder))
    _, page = page_of(folder)
    lease.release()
    assert "2 of 2 trials are still running" in page.text
    assert "60 s of training" in page.text  # six epochs of ten seconds, though no trial has an end


def test_the_head_says_what_was_computed_in(tmp_path: Path):
    folders = [
        write_sweep(tmp_path / f"s{k}", [trial(curve(3, k))], precision=each)
        for k, each in enumerate(["int16", "fp32", "int16"])
    ]
    told = re.search(r"<dt>precision</dt><dd>(.*?)</dd>", header(analysis.load(folders)))
    assert told is not None
    assert told[1] == "int16, fp32"
    assert "precision" not in header(analysis.load(write_sweep(tmp_path / "older", [trial(curve(3, 0))])))


def test_every_string_from_outside_stays_text(tmp_path: Path):
    trials = [
        trial(curve(4, k), layer_order=f"{k % 2}{EVIL}", optimizer=EVIL, lr=0.1 + k, status="FAILED", error=EVIL,
              stop_reason=EVIL, dataset=EVIL, model=EVIL)
        for k in range(12)
    ]  # fmt: skip
    trials.append(trial(curve(4, 99), layer_order="lbrd"))
    folder = write_sweep(
        tmp_path / "s",
        trials,
        sweep_id=EVIL,
        state=EVIL,
        precision=EVIL,
        hardware={EVIL: [EVIL]},
        versions={"torch": EVIL},
    )
    text, page = page_of(folder)
    assert "<img" not in text
    assert "img" not in page.tags
    assert page.tags.count("script") == len(page.figures) + 1
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert EVIL in page.text
    labels = json.dumps(page.figures)
    assert "img src=x" in labels  # it does reach the figures,
    assert "<img" not in labels  # and Plotly is told to show it, not to read it


def test_the_page_fetches_nothing(tmp_path: Path):
    text, page = page_of(write_sweep(tmp_path / "s", [trial(curve(4, k), lr=0.1 + k) for k in range(3)]))
    assert PLOTLY.search(text), "plotly.js is inlined"
    assert len(PLOTLY.findall(text)) == 1
    assert not re.search(r"https?://", PLOTLY.sub("", text))
    assert not [name for name, _ in page.attributes if name in ("src", "href")]
    assert "default-src 'none'" in text


def test_the_figures_show_the_data_they_are_given(tmp_path: Path):
    _, page = page_of(write_sweep(tmp_path / "s", [trial([epoch(1.25, 1.0, 0.5), epoch(1.5, 0.5, 0.625)])]))
    lines = {
        (t["line"].get("dash"), tuple(t["y"])) for t in page.figures["Learning curves"]["data"] if t["y"] != [None]
    }
    assert ("solid", (1.25, 1.5, None)) in lines
    assert ("dash", (1.0, 0.5, None)) in lines
    assert ("dot", (1.1, 0.6, None)) in lines
    assert [t["y"] for t in page.figures["Gap over epochs"]["data"]] == [[0.25, 1.0, None]]


def test_beyond_forty_configurations_both_ends_are_shown_and_said(tmp_path: Path):
    trials = [trial([epoch(1 + k / 100, 1, 0.5)], lr=0.1 + k) for k in range(50)]
    _, page = page_of(write_sweep(tmp_path / "s", trials))
    dots = page.figures["Gap per configuration"]["data"][1]
    assert len(dots["y"]) == 40
    assert dots["x"][:2] == [0.0, 0.01]
    assert dots["x"][-1] == 0.49
    assert "the 20 smallest and the 20 largest of 50" in page.text


def test_a_log_searched_learning_rate_has_a_log_axis_and_words_have_ticks(tmp_path: Path):
    trials = [trial(curve(2, k), lr=10.0**-k, augment=("none", "full")[k % 2]) for k in range(1, 5)]
    _, page = page_of(write_sweep(tmp_path / "s", trials, space={"lr": {"loguniform": [1e-4, 1e-1]}}))
    (plot,) = [t for figure in page.figures.values() for t in figure["data"] if t["type"] == "parcoords"]
    axes = {d["label"]: d for d in plot["dimensions"]}
    assert axes["lr (log)"]["values"] == [-1, -2, -3, -4]
    assert axes["augment"]["ticktext"] == ["full", "none"]
    assert axes["augment"]["values"] == [0, 1, 0, 1]


def test_a_thousand_trials_of_thirty_epochs_stay_under_six_megabytes(tmp_path: Path):
    random = Random(0)
    trials = [
        trial(curve(30, k), lr=10 ** random.uniform(-4, -1), drop_rate=random.uniform(0, 0.6),
              momentum=random.uniform(0.05, 0.3), layer_order=random.choice(["lbrd", "lrbd", "ldbr"]),
              error="e" * 500 if k % 9 == 0 else None)
        for k in range(1000)
    ]  # fmt: skip
    folder = write_sweep(tmp_path / "s", trials)
    path = analysis.report(analysis.load(folder), tmp_path / "report.html")
    assert path.stat().st_size < 6_000_000
    page = Page(path.read_text())
    assert "All trials (1000)" in page.text
    assert page.tags.count("tr") > 1000
    # Bands stand for the crowd: a figure of curves has a few lines, not a thousand.
    assert len(page.figures["Learning curves"]["data"]) < 60


def test_a_report_that_cannot_be_written_leaves_the_old_one_and_no_litter(tmp_path: Path):
    results = analysis.load(write_sweep(tmp_path / "s", [trial(curve(2, 0))]))
    out = tmp_path / "out"
    out.mkdir()
    assert analysis.report(results, out / "report.html") == out / "report.html"
    with pytest.raises(OSError, match="nowhere"):
        analysis.report(results, out / "nowhere" / "report.html")
    assert [p.name for p in out.iterdir()] == ["report.html"]


def test_two_sweeps_make_one_report(tmp_path: Path):
    a = write_sweep(tmp_path / "a", [trial(curve(4, 0))])
    b = write_sweep(tmp_path / "b", [trial(curve(4, 1)), trial(curve(4, 2), lr=0.1)])
    page = Page(analysis.report(analysis.load([a, b]), tmp_path / "r.html").read_text())
    assert "a + b" in page.text
    assert "3 (3 COMPLETED)" in page.text
