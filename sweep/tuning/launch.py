"""Run a sweep, or go on with one."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cluster.errors import PreflightError
from sweep.spec import SweepSpec
from sweep.store.folder import Folder, open_folder
from sweep.store.lease import refuse_if_held
from sweep.store.manifest import read_manifest
from sweep.tuning.continued_spec import continued_spec
from sweep.tuning.driver import drive
from sweep.tuning.result import SweepResult, summarise
from sweep.tuning.warm_start import earlier_outcomes
from sweep.tuning.watch import Watch


def run(
    spec: SweepSpec | str | Path | Mapping[str, Any],
    *,
    storage: str | Path = "results",
    overrides: Sequence[str] = (),
    warm_start: str | Path | None = None,
    address: str | None = None,
    watch: Watch | None = None,
) -> SweepResult:
    """Run a sweep to its end.

    spec: a SweepSpec, a YAML file, a shipped study's name, or a mapping. storage: the folder or URI (s3://…)
    that gets the sweep's own folder. overrides: "key.path=value". warm_start: the folder of an earlier
    sweep whose results the search (tpe, multi-objective) begins with. address: None for a Ray of this machine alone.
    Raises SpecError, DataError, PreflightError before anything starts; StoreError or OSError if rows cannot be written.
    """
    spec = SweepSpec.load(spec, overrides)
    folder = open_folder(storage)
    earlier = [] if warm_start is None else earlier_outcomes(warm_start, spec)
    _check_writable(folder)
    new = folder / f"{spec.name}-{secrets.token_hex(3)}"
    return drive(new, spec, None, address=address, watch=watch or Watch(), warm_start=earlier)


def resume(
    path: str | Path,
    *,
    extend: Sequence[str] = (),
    overrides: Sequence[str] = (),
    retry_failed: bool = False,
    take_over: bool = False,
    address: str | None = None,
    watch: Watch | None = None,
) -> SweepResult:
    """Go on with a sweep that was interrupted or killed; what is stored is not trained again.

    extend: "trials=N" or "epochs=N", more than the sweep has; also for one that is complete.
    overrides: "key.path=value" of what has no bearing on the numbers (resources, max_retries, trial_timeout).
    retry_failed: try failed trials again.
    take_over: even from a driver that seems to live, which then refuses to write.
    Raises NotASweepError and what `run` raises; SweepInUseError if its driver still lives.
    """
    sweep = open_folder(path)
    manifest = read_manifest(sweep)
    watch = watch or Watch()
    spec = continued_spec(manifest["spec"], extend, overrides)
    if manifest["state"] == "COMPLETED" and not extend and not retry_failed:
        watch.announce(f"{sweep.name} is complete; nothing is left to train")
        return summarise(sweep)
    _check_writable(sweep)
    if not take_over:
        refuse_if_held(sweep)  # before Ray starts; the writer looks again
    return drive(sweep, spec, manifest, address=address, watch=watch, take_over=take_over, retry_failed=retry_failed)


def _check_writable(folder: Folder) -> None:
    """Write to the storage before anything starts. Raises PreflightError naming it and the cause."""
    probe = f"_probe-{secrets.token_hex(4)}"
    try:
        folder.write(probe, b"probe")
        folder.remove(probe)
    except OSError as error:
        raise PreflightError(
            f"--storage {folder}: cannot be written ({error.strerror or error}); give a folder that you may write to"
        ) from None
