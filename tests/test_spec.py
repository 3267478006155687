"""SweepSpec: what it accepts, what it fills in, and that every refusal says where, what and what is allowed."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from malformed_specs import GOOD, MALFORMED_SPECS, MalformedSpec

from search_spaces.errors import SpecError
from search_spaces.study_file import read_mapping, study_names
from search_spaces.yaml_reader import read_yaml
from sweep.spec import SweepSpec, spec_json_schema
from sweep.tuning.continued_spec import continued_spec
from sweep.tuning.planned_trials import planned_trials

MINIMAL = {"name": "test", "model": "mlp", "dataset": "digits", "epochs": 5}


def load(**changes: object) -> SweepSpec:
    return SweepSpec.load(MINIMAL | changes)


@pytest.mark.parametrize("case", MALFORMED_SPECS, ids=lambda case: case.id)
def test_a_malformed_spec_is_refused_with_key_path_value_and_what_is_allowed(
    case: MalformedSpec, tmp_path: Path
) -> None:
    with pytest.raises(SpecError) as refusal:
        SweepSpec.load(case.source(tmp_path), case.overrides)
    message = str(refusal.value)
    assert [part for part in case.fragments if part not in message] == [], message
    for leaked in ("Input should", "pydantic", "For further information", "Traceback", "validation error"):
        assert leaked not in message
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_malformed_specs_have_different_names_and_the_good_one_is_good(tmp_path: Path) -> None:
    assert len({case.id for case in MALFORMED_SPECS}) == len(MALFORMED_SPECS) >= 40
    assert SweepSpec.load(MalformedSpec("good", GOOD, (), ()).source(tmp_path)).epochs == 5


def test_several_mistakes_are_listed_one_a_line() -> None:
    with pytest.raises(SpecError) as refusal:
        load(epochs=0, space={"lr": 0, "drop_rate": {"choice": [0.1, 1, -1]}}, max_retries="x")
    paths = {line.split(":")[0] for line in str(refusal.value).splitlines()}
    assert paths == {"epochs", "space.lr", "space.drop_rate.choice[1]", "space.drop_rate.choice[2]", "max_retries"}


def test_a_file_of_nothing_but_mistakes_gives_thirty_lines_and_how_many_more() -> None:
    with pytest.raises(SpecError) as refusal:
        load(**{f"key{n}": n for n in range(100)})
    lines = str(refusal.value).splitlines()
    assert len(lines) == 31
    assert lines[-1] == "and 70 more mistakes"


def test_importing_the_spec_imports_neither_torch_nor_ray_nor_numpy() -> None:
    code = (
        "import sys; from sweep.spec import SweepSpec; SweepSpec.load('quickstart'); "
        "print([m for m in ('torch', 'ray', 'numpy', 'pandas', 'pyarrow', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_mode_search_defaults_to_an_even_search_with_asha() -> None:
    spec = load()
    assert (spec.search.algorithm, spec.search.trials, spec.search.seed) == ("qmc", 20, 0)
    assert (spec.scheduler.type, spec.scheduler.grace_period, spec.scheduler.reduction_factor) == ("asha", 1, 3)
    assert (spec.replicates, spec.train_size, spec.max_retries) == (1, None, 3)
    assert (spec.resources.cpus_per_trial, spec.resources.gpus_per_trial, spec.resources.max_concurrent) == (1, 0, None)


def test_mode_study_defaults_to_the_whole_grid_with_nothing_cut() -> None:
    spec = load(mode="study", search={"seed": 7})
    assert (spec.search.algorithm, spec.search.trials, spec.search.seed) == ("grid", None, 7)
    assert spec.scheduler.type == "none"


def test_grid_in_mode_search_takes_all_points_unless_trials_caps_it() -> None:
    assert load(search={"algorithm": "grid"}).search.trials is None
    assert load(search={"algorithm": "grid", "trials": 3}).search.trials == 3


def test_multi_objective_runs_without_a_scheduler_unless_one_is_written() -> None:
    assert load(search={"algorithm": "multi-objective"}).scheduler.type == "none"


def test_scheduler_may_be_written_as_a_word() -> None:
    assert load(scheduler="none").scheduler.type == "none"
    assert load(scheduler="asha") == load(scheduler={"type": "asha"})


def test_a_space_smaller_than_trials_is_fine() -> None:
    assert load(space={"augment": {"choice": ["none", "full"]}}, search={"trials": 50}).search_space.cardinality == 2


def test_batch_size_and_optimizer_are_fixed_in_the_search_space_unless_searched() -> None:
    plain = load().search_space
    assert plain.grid() == load(batch_size=100, optimizer="adam").search_space.grid()
    assert (plain.grid()[0]["batch_size"], plain.grid()[0]["optimizer"]) == (100, "adam")
    searched = load(optimizer="sgd", space={"batch_size": {"choice": [50, 200]}}).search_space
    assert [(c["batch_size"], c["optimizer"]) for c in searched.grid()] == [(50, "sgd"), (200, "sgd")]


def test_a_spec_in_full_can_be_given_as_a_file(tmp_path: Path) -> None:
    spec = load(stop_rules={"gap": {"patience": 4}})
    (tmp_path / "study.yaml").write_text(json.dumps(spec.to_dict()))
    assert SweepSpec.load(tmp_path / "study.yaml") == spec


def test_an_override_may_mend_what_a_file_leaves_empty(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("name: a\nmodel: mlp\ndataset: digits\nepochs: 3\nstop_rules:\n  gap:\n")
    assert SweepSpec.load(tmp_path / "study.yaml", ["stop_rules.gap={}"]).stop_rules.gap is not None
    assert SweepSpec.load(tmp_path / "study.yaml", ["stop_rules.gap=null"]).stop_rules.gap is None


def test_what_has_no_effect_in_a_sweep_that_has_begun_stays() -> None:
    stored = load(space={"lr": {"loguniform": [1e-4, 1e-1]}}).to_dict()
    stored["space"] |= {"sgd_momentum": {"uniform": [0.5, 0.9]}}
    stored["budget"] |= {"max_cost": 5.0, "price_per_gpu_hour": 1.0}
    with pytest.raises(SpecError, match=r"space\.sgd_momentum"):
        SweepSpec.load(stored)
    assert continued_spec(stored, ["trials=50"]).search.trials == 50
    with pytest.raises(SpecError, match=r"budget\.max_cost: got 5"):
        continued_spec(load().to_dict(), overrides=["budget.max_cost=5"])


def test_model_args_are_filled_with_the_models_defaults() -> None:
    assert load().model_args == {"hidden": [512]}
    assert load(model="cnn", model_args={"channels": [8]}).model_args == {"channels": [8], "kernel_size": 3}


def test_a_relative_data_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            (tmp_path / "pets" / split / name).mkdir(parents=True)
            (tmp_path / "pets" / split / name / "a.png").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert load(dataset="folder:pets").dataset == f"folder:{tmp_path / 'pets'}"


@pytest.mark.parametrize("name", study_names())
def test_every_shipped_study_loads_and_survives_the_way_through_json(name: str) -> None:
    spec = SweepSpec.load(name)
    assert spec.name == name
    again = SweepSpec.load(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert again.search_space == spec.search_space
    assert SweepSpec.load(spec) == spec


def test_tuples_given_from_python_survive_the_round_trip() -> None:
    spec = load(space={"lr": {"uniform": (0.1, 1)}, "augment": {"choice": ("none", "full")}})
    assert SweepSpec.load(spec.to_dict()) == spec


def test_overrides_reach_every_level() -> None:
    overrides = [
        "space.lr=1e-2",
        "search.trials=8",
        "scheduler=none",
        "space.layer_order={choice: [lbrd, lrbd]}",
        "resources.max_concurrent=2",
        "train_size=500",
    ]
    spec = SweepSpec.load("quickstart", overrides)
    assert spec.space["lr"] == 0.01
    assert spec.search.trials == 8
    assert spec.scheduler.type == "none"
    assert spec.search_space.domains["layer_order"].size == 2
    assert (spec.resources.max_concurrent, spec.train_size) == (2, 500)


def test_null_takes_a_top_level_batch_size_away_so_that_it_can_be_searched() -> None:
    spec = SweepSpec.load("quickstart", ["batch_size=null", "space.batch_size={choice: [50, 100]}"])
    assert spec.search_space.searched["batch_size"].size == 2


def test_overrides_leave_the_source_as_it_was() -> None:
    source = MINIMAL | {"space": {"lr": 0.1}}
    assert SweepSpec.load(source, ["space.lr=0.2"]).space == {"lr": 0.2}
    assert source["space"] == {"lr": 0.1}


def test_a_spec_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().epochs = 7


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    written = spec_json_schema()
    jsonschema.Draft202012Validator.check_schema(written)
    assert written["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    return jsonschema.Draft202012Validator(json.loads(json.dumps(written)))


@pytest.mark.parametrize("name", study_names())
def test_shipped_studies_and_their_full_form_validate_against_the_json_schema(
    name: str, schema: jsonschema.Draft202012Validator
) -> None:
    assert [error.message for error in schema.iter_errors(read_mapping(name))] == []
    assert [error.message for error in schema.iter_errors(SweepSpec.load(name).to_dict())] == []


@pytest.mark.parametrize(
    "line",
    [
        "epohcs: 3",
        "replicates: 0",
        "batch_size: '100'",
        "mode: studie",
        "scheduler: hyperband",
        "scheduler: {type: pbt}",
        "search: {trails: 8}",
        "resources: {cpus_per_trial: 0}",
        "model_args: [512]",
        "space: {droprate: 0.1}",
        "space: {drop_rate: 1}",
        "space: {momentum: 0}",
        "space: {layer_order: lbl}",
        "space: {layer_order: {permutations: lxb}}",
        "space: {lr: {uniform: [0.1]}}",
        "space: {lr: {uniform: [0.1, 0.2], choice: [0.1]}}",
        "space: {lr: {choice: []}}",
        "space: {augment: {uniform: [0, 1]}}",
        "space: {weight_decay: {loguniform: [0, 1]}}",
    ],
)
def test_the_json_schema_refuses_what_the_spec_refuses(line: str, schema: jsonschema.Draft202012Validator) -> None:
    changes = read_yaml(line)
    assert isinstance(changes, dict)
    assert schema.is_valid(MINIMAL)
    assert not schema.is_valid(MINIMAL | changes)
    with pytest.raises(SpecError):
        load(**changes)


def test_the_json_schema_describes_every_key() -> None:
    written = spec_json_schema()
    assert written["additionalProperties"] is False
    assert set(written["required"]) == {"name", "model", "dataset", "epochs"}
    settings = [written["$defs"][name] for name in ("SearchSettings", "SchedulerSettings", "ResourceSettings")]
    levels = [written, written["properties"]["space"], *settings]
    for level in levels:
        assert level["additionalProperties"] is False
        assert [key for key, value in level["properties"].items() if not value.get("description")] == []


def test_listed_configurations_are_all_tried_and_nothing_else() -> None:
    listed = {**MINIMAL, "space": {"momentum": 0.2}, "configurations": [{"lr": 0.1}, {"lr": 0.2, "momentum": 0.1}]}
    spec = SweepSpec.load(listed)
    assert (spec.search.algorithm, spec.search.trials, spec.scheduler.type) == ("grid", None, "asha")
    assert [(each["lr"], each["momentum"]) for each in spec.every_configuration()] == [(0.1, 0.2), (0.2, 0.1)]
    assert planned_trials(SweepSpec.load(spec, ["replicates=3"])) == 6
    with pytest.raises(SpecError, match=r"search\.algorithm: got 'tpe' beside configurations"):
        SweepSpec.load(listed, ["search.algorithm=tpe", "search.trials=5"])
    with pytest.raises(SpecError, match=r"space\.lr: .* beside configurations"):
        SweepSpec.load(listed, ["space.lr={choice: [0.1, 0.2]}"])


def test_numpys_numbers_in_listed_configurations_survive_the_way_through_json() -> None:
    listed = {**MINIMAL, "space": {}, "configurations": [{"lr": np.float64(0.1), "batch_size": np.int64(64)}]}
    spec = SweepSpec.load(listed)
    assert json.loads(json.dumps(spec.to_dict()))["configurations"] == [{"lr": 0.1, "batch_size": 64}]
    with pytest.raises(SpecError, match=r"configurations\.0\.batch_size: got 1"):
        SweepSpec.load({**listed, "configurations": [{"batch_size": np.int64(1)}]})


def test_a_sweep_of_an_older_version_goes_on_with_the_ranking_that_it_began_with() -> None:
    stored = load().to_dict()
    del stored["scheduler"]["rank_by"], stored["scheduler"]["variant"], stored["configurations"]
    assert continued_spec(stored).scheduler.rank_by == "val_acc"
    assert continued_spec(stored).scheduler.variant == "stop"
    assert continued_spec(load().to_dict()).scheduler.rank_by == "forecast"
