"""Run a sweep, or go on with one."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cluster.preflight import check_storage
from sweep.spec import SweepSpec
from sweep.store.manifest import read_manifest
from sweep.tuning.driver import drive
from sweep.tuning.result import SweepResult, summarise
from sweep.tuning.watch import Watch


def run(
    spec: SweepSpec | str | Path | Mapping[str, Any],
    *,
    storage: str | Path = "results",
    overrides: Sequence[str] = (),
    address: str | None = None,
    watch: Watch | None = None,
) -> SweepResult:
    """Run a sweep to its end.

    spec: a SweepSpec, a YAML file, a shipped study's name, or a mapping. storage: the folder that gets the sweep's own
    folder. overrides: "key.path=value". address: None for a Ray of this machine alone.
    Raises SpecError, DataError, PreflightError before anything starts; StoreError or OSError if rows cannot be written.
    """
    spec = SweepSpec.load(spec, overrides)
    folder = Path(storage).expanduser().absolute()
    check_storage(folder)
    return drive(folder / f"{spec.name}-{secrets.token_hex(3)}", spec, None, address=address, watch=watch or Watch())


def resume(path: str | Path, *, address: str | None = None, watch: Watch | None = None) -> SweepResult:
    """Go on with a sweep that was interrupted or killed; what is stored is not trained again.

    Raises NotASweepError and what `run` raises; SweepInUseError if its driver still lives.
    """
    sweep_dir = Path(path).expanduser().absolute()
    manifest = read_manifest(sweep_dir)
    watch = watch or Watch()
    if manifest["state"] == "COMPLETED":
        watch.announce(f"{sweep_dir.name} is complete; nothing is left to train")
        return summarise(sweep_dir)
    check_storage(sweep_dir)
    return drive(sweep_dir, SweepSpec.load(manifest["spec"]), manifest, address=address, watch=watch)
