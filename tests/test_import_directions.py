"""The rooms of the house and who may know whom (imports at any depth of a function count, too)."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"sweep", "search_spaces", "cluster", "analysis"}
HEAVY = {
    "torch",
    "torchvision",
    "ray",
    "optuna",
    "pandas",
    "pyarrow",
    "numpy",
    "numba",
    "scipy",
    "plotly",
    "sklearn",
    "typer",
    "rich",
}

# room: (our modules it may import, the third-party packages that it may not)
RULES = {
    "search_spaces": ({"search_spaces"}, HEAVY),
    "cluster": ({"cluster"}, HEAVY - {"ray"}),
    "sweep/kernels": ({"sweep.kernels"}, HEAVY - {"numpy", "numba"}),
    "sweep/models": ({"sweep.models", "sweep.kernels", "search_spaces"}, HEAVY - {"torch"}),
    "sweep/data": ({"sweep.data", "sweep.kernels", "search_spaces"}, {"ray", "optuna", "pandas"}),
    "sweep/training": (
        {"sweep.training", "sweep.models", "sweep.data", "sweep.kernels", "sweep.store.folder", "search_spaces"},
        {"ray", "optuna", "pandas", "pyarrow"},
    ),
    "sweep/store": ({"sweep.store"}, HEAVY - {"pyarrow"}),
    "sweep/stopping": ({"sweep.stopping", "sweep.training.divergence", "search_spaces"}, HEAVY),
    "sweep/resources.py": ({"search_spaces"}, HEAVY),
    "sweep/search_settings.py": (set(), HEAVY),
    "sweep/spec_defaults.py": ({"sweep.spec_agreement", "sweep.stopping"}, HEAVY),
    "sweep/spec_agreement.py": ({"sweep.spec", "sweep.stopping", "search_spaces"}, HEAVY),
    "sweep/spec.py": (
        {
            "sweep.data.errors",
            "sweep.data.source",
            "sweep.resources",
            "sweep.search_settings",
            "sweep.spec_agreement",
            "sweep.spec_defaults",
            "sweep.stopping",
            "search_spaces",
        },
        HEAVY,
    ),
    "sweep/tuning": (
        {
            "sweep.tuning",
            "sweep.stopping",
            "sweep.training",
            "sweep.data",
            "sweep.store",
            "sweep.spec",
            "sweep.spec_agreement",
            "sweep.resources",
            "search_spaces",
            "cluster",
        },
        {"pandas", "plotly", "typer", "rich"},
    ),
    "sweep/simulation": (
        {"sweep.simulation", "sweep.stopping", "sweep.tuning", "sweep.training.seeds", "sweep.store", "sweep.spec"}
        | {"search_spaces"},
        HEAVY - {"numpy"},
    ),
    "sweep/progress": ({"sweep.progress", "sweep.tuning", "sweep.spec"}, HEAVY - {"rich"}),
    "sweep/__main__.py": ({"sweep.cli"}, HEAVY),
    "sweep/cli": (OURS, {"torch", "ray", "optuna", "plotly"}),
    # Optuna for its importances, inside the function that needs it.
    "analysis": ({"analysis", "sweep.store"}, {"torch", "torchvision", "ray", "typer", "rich"}),
}


def files(room: str) -> list[Path]:
    path = ROOT / room
    return [path] if path.suffix else sorted(path.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, as written; what comes from one may be a module, too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", RULES)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    ours, forbidden = RULES[room]
    assert files(room)
    for path in files(room):
        for module in imports(path):
            top = module.split(".")[0]
            assert top not in forbidden, f"{path} imports {module}"
            if top in OURS:
                assert any(module == allowed or module.startswith(allowed + ".") for allowed in ours), (
                    f"{path} imports {module}"
                )


def test_every_file_belongs_to_a_room() -> None:
    covered = {path for room in RULES for path in files(room)} | {ROOT / "sweep/__init__.py"}
    everything = {path for top in OURS for path in (ROOT / top).rglob("*.py")}
    assert everything == covered


def test_ray_tune_is_known_in_tuning_only() -> None:
    knowing = {
        path.relative_to(ROOT).parts[:2]
        for top in OURS
        for path in (ROOT / top).rglob("*.py")
        if any(m.startswith("ray.tune") for m in imports(path))
    }
    assert knowing <= {("sweep", "tuning")}


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import sweep", {"torch", "ray", "pandas", "pyarrow", "pydantic"}),
        ("import sweep.store", {"torch", "ray", "pandas"}),
        ("import analysis", {"torch", "ray", "optuna"}),
        ("import sweep.tuning.driver, sweep.tuning.trainable, sweep.tuning.tune_adapters", {"torch", "torchvision"}),
        ("from sweep.cli.app import app", {"torch", "ray", "pandas", "plotly", "optuna"}),
        ("from sweep.spec import SweepSpec; SweepSpec.load('quickstart')", {"torch", "ray", "numpy"}),
    ],
)
def test_what_must_be_light_loads_nothing_heavy(statement: str, absent: set[str]) -> None:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    assert absent.isdisjoint(done.stdout.split())
