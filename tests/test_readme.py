"""What the README says is true: its example, its spec, its commands, its links."""

import contextlib
import io
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sweep.cli.app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = [page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_example_prints_what_the_readme_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(blocks("python")[0], "README.md", "exec"), {})
    shown, got = blocks("text")[0].split(), printed.getvalue().split()
    assert len(shown) == len(got)
    for a, b in zip(shown, got, strict=True):
        # Another type of CPU rounds differently, and training spreads that.
        assert a == b or float(b) == pytest.approx(float(a), abs=0.05)


def test_the_spec_as_a_file_is_valid(tmp_path: Path) -> None:
    from sweep.spec import SweepSpec

    (tmp_path / "study.yaml").write_text(blocks("yaml")[0])
    spec = SweepSpec.load(tmp_path / "study.yaml")
    assert (spec.search.trials, set(spec.search_space.searched)) == (24, {"lr", "drop_rate", "layer_order"})


def test_every_command_and_option_in_the_readme_and_the_pages_exists() -> None:
    text = README + "".join(page.read_text() for page in ROOT.glob("docs/*.md"))
    named = [line.split() for line in re.findall(r"(?:`|^)sweep ([a-z]+\b[^`\n]*)", text, re.MULTILINE)]
    # In tables of commands options stand in spans of their own.
    rows = re.findall(r"^\| `sweep ([a-z]+)[^|]*\|(.*)$", text, re.MULTILINE)
    named += [[command, *re.findall(r"`(--[a-z-]+)", explained)] for command, explained in rows]
    used = {command: {word for words in named if words[0] == command for word in words} for command, *_ in named}
    assert used.keys() >= {"validate", "plan", "run", "resume", "list", "report", "export"}
    assert {"--at-once", "--warm-start", "--new"} <= set().union(*used.values())
    for command, words in used.items():
        done = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
        assert done.exit_code == 0, command
        options = {option for word in words for option in re.findall(r"^--[a-z-]+", word)}
        assert options <= set(re.findall(r"--[a-z-]+", done.output)), command


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(
        re.findall(r"\bmake ([a-z]+)\b", " ".join(blocks("console") + re.findall(r"`(make [a-z]+)`", README)))
    )
    assert {"demo", "test", "check", "faults"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_shipped_studies_are_listed() -> None:
    from search_spaces.study_file import study_names

    listed = re.search(r"^Shipped studies: (.*?)\.\n\n", README, re.DOTALL | re.MULTILINE)
    assert listed
    assert sorted(re.findall(r"`([a-z-]+)`", listed[1])) == sorted(study_names())


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md", *sorted(f"docs/{p}" for p in PAGES)])
def test_every_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        assert target.startswith("https://") or (ROOT / page).parent.joinpath(target).exists(), target
