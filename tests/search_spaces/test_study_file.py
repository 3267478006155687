import os
from pathlib import Path

import pytest

from search_spaces.errors import SpecError
from search_spaces.study_file import MAX_BYTES, read_mapping, study_names

STUDIES = Path(__file__).parents[2] / "search_spaces" / "studies"


def test_the_shipped_studies_are_those_promised() -> None:
    promised = "augmentation cnn-baseline full-search layer-order mlp-baseline no-batch-norm no-dropout quickstart"
    assert study_names() == promised.split()


@pytest.mark.parametrize("name", study_names())
def test_a_study_is_named_after_its_file_and_opens_with_its_question_and_cost(name: str) -> None:
    assert read_mapping(name)["name"] == name
    comment = [line for line in (STUDIES / f"{name}.yaml").read_text().splitlines() if line.startswith("# ")]
    assert comment[0].endswith("?") or comment[1].endswith("?")
    assert any(line.startswith("# Cost: ") for line in comment)


def test_the_baselines_have_the_parameters_of_the_original_report() -> None:
    shared = {"momentum": 0.1, "eps": 1e-5, "layer_order": "lbrd", "augment": "none"}
    mlp, cnn = read_mapping("mlp-baseline"), read_mapping("cnn-baseline")
    assert mlp["space"] == {"lr": 1e-3, "drop_rate": 0.25, **shared}
    assert cnn["space"] == {"lr": 1e-2, "drop_rate": 0.2, **shared}
    assert (mlp["epochs"], mlp["batch_size"], mlp["mode"]) == (30, 100, "study")
    assert (cnn["epochs"], cnn["batch_size"], cnn["mode"]) == (20, 100, "study")


def test_a_file_is_read_by_its_path_and_wins_over_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "quickstart").write_text("name: mine\nlr: 1e-3\n")
    monkeypatch.chdir(tmp_path)
    assert read_mapping("quickstart") == {"name": "mine", "lr": 1e-3}
    assert read_mapping(str(tmp_path / "quickstart"))["name"] == "mine"


def test_a_folder_of_a_studys_name_does_not_hide_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "quickstart").mkdir()
    monkeypatch.chdir(tmp_path)
    assert read_mapping("quickstart")["name"] == "quickstart"


def test_a_megabyte_is_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "long.yaml"
    path.write_text("a: 1\n#" + "x" * (MAX_BYTES - 6))
    assert read_mapping(str(path)) == {"a": 1}
    path.write_text("a: 1\n#" + "x" * (MAX_BYTES - 5))
    with pytest.raises(SpecError, match=f"more than {MAX_BYTES} bytes"):
        read_mapping(str(path))


def test_an_endless_file_is_refused_and_not_read_for_ever() -> None:
    with pytest.raises(SpecError, match=f"more than {MAX_BYTES} bytes"):
        read_mapping(os.path.join(os.sep, "dev", "zero"))


@pytest.mark.parametrize("source", ["", "\0", "no/such/file.yaml", "x" * 5000])
def test_what_is_neither_file_nor_study_is_refused_with_the_studies_listed(source: str) -> None:
    with pytest.raises(SpecError, match=r"no such file.*allowed: a YAML file, or a study: augmentation"):
        read_mapping(source)
