"""The files for Kubernetes, clouds and Slurm: valid by their official schemas, and their commands are ours."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import ray.autoscaler
import typer.main
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.scripts.symmetric_run import curate_and_validate_ray_start_args

from sweep.cli.app import app
from sweep.spec import SweepSpec

ROOT = Path(__file__).parents[2]
FILES = ROOT / "cluster" / "files"
SCHEMAS = ROOT.parent / "shared" / "schemas" / "kuberay"
# As `ray start` of 2.60 refuses them without --head.
HEAD_ONLY = {"--head", "--port", "--include-dashboard", "--dashboard-host", "--dashboard-port", "--autoscaling-config"}
KUBERAY = sorted(FILES.glob("kuberay/*.yaml"))
RAY_UP = sorted(FILES.glob("ray_up/*.yaml"))


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def closed(schema: Any) -> Any:
    """The schema, refusing unknown keys: Kubernetes would drop them without a word."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(part) for key, part in schema.items()}
    known = isinstance(schema.get("properties"), dict) and "type" in schema
    # metadata is Kubernetes' own, which these schemas leave open.
    if known and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema.setdefault("additionalProperties", False)
    return schema


@pytest.mark.parametrize("path", KUBERAY, ids=lambda path: path.name)
def test_a_kuberay_file_is_valid(path: Path) -> None:
    if not SCHEMAS.is_dir():
        pytest.skip("KubeRay's schemas are not there (shared/schemas/kuberay)")
    checked = [document for document in documents(path) if document["apiVersion"] == "ray.io/v1"]
    assert checked
    for document in checked:
        schema = closed(json.loads((SCHEMAS / f"{document['kind']}.v1.json").read_text()))
        jsonschema.validate(document, schema)
        cluster = document["spec"].get("rayClusterSpec", document["spec"])
        assert f"ray=={cluster['rayVersion']}" in (ROOT / "constraints.txt").read_text().split()
        assert cluster["authOptions"] == {"mode": "token"}
        # What the test of the test is: a key that is written wrongly does not pass.
        cluster["headGroupSpec"]["rayStartParam"] = {}
        with pytest.raises(jsonschema.ValidationError, match="rayStartParam"):
            jsonschema.validate(document, schema)


def test_the_study_in_the_ray_job_is_valid_and_its_script_ends_the_retries_where_they_change_nothing(
    tmp_path: Path,
) -> None:
    (config,) = (part for part in documents(FILES / "kuberay" / "rayjob.yaml") if part["kind"] == "ConfigMap")
    SweepSpec.load(yaml.safe_load(config["data"]["study.yaml"]))
    # A command of that name that ends with the code asked for: here it is the script that is tried.
    sweep = tmp_path / "sweep"
    sweep.write_text("#!/bin/sh\nexit $CODE\n")
    sweep.chmod(0o755)
    for code, wanted in {0: 0, 1: 1, 2: 2, 3: 0, 4: 0, 130: 0, 137: 137, 143: 143}.items():
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CODE": str(code)}
        assert subprocess.run(["bash", "-c", config["data"]["run.sh"]], env=environment).returncode == wanted


@pytest.mark.parametrize("path", RAY_UP, ids=lambda path: path.name)
def test_a_ray_up_file_is_valid(path: Path) -> None:
    (config,) = documents(path)
    schema = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
    jsonschema.validate(config, schema)
    prepared = prepare_config(config)  # with Ray's defaults filled in, as `ray up` does
    validate_config(prepared)
    jsonschema.validate(prepared, schema)
    (start,) = (command for command in config["head_start_ray_commands"] if "--head" in command)
    assert "--dashboard-host=127.0.0.1" in start
    assert "--env RAY_AUTH_MODE=token" in config["docker"]["run_options"]


def test_the_slurm_script_parses_and_ray_takes_its_options() -> None:
    path = FILES / "slurm" / "sweep.sbatch"
    subprocess.run(["bash", "-n", path], check=True)
    (command,) = re.findall(r"srun (ray symmetric-run .*?) --\s", joined(path.read_text()))
    options = shlex.split(command)[2:]
    assert curate_and_validate_ray_start_args(options)
    # Every node is started with these, and a worker refuses what is for a head alone.
    assert not {option.partition("=")[0] for option in options} & HEAD_ONLY


@pytest.mark.parametrize(
    "path", sorted(path for path in FILES.rglob("*") if path.is_file()), ids=lambda path: path.name
)
def test_every_command_of_ours_exists_with_its_options(path: Path) -> None:
    group = typer.main.get_command(app)
    lines = re.findall(
        r"(?:^|\s)sweep ((?:run|submit|stop|status|list|logs|resume) .*)", joined(path.read_text()), re.M
    )
    assert lines or path.name == "Dockerfile"
    for line in lines:
        words = shlex.split(line.rstrip("&").replace('"', ""))
        command = group.commands[words[0]]  # type: ignore[attr-defined]
        command.make_context(words[0], words[1:])  # raises for an unknown option
        assert "--storage" in words or words[0] == "logs", f"the results would stay on one node: {line}"


def test_the_image_holds_what_the_package_is_built_from() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")}
    assert kept == {
        "pyproject.toml",
        "constraints.txt",
        "README.md",
        "LICENSE",
        "analysis",
        "cluster",
        "search_spaces",
        "sweep",
    }
    for name in kept:
        assert (ROOT / name).exists()


def joined(text: str) -> str:
    """Lines that end in a backslash, with the next one."""
    return re.sub(r"\\\n\s*", "", text)
