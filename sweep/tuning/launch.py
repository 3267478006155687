"""Run a sweep, or go on with one."""

import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cluster.environment import cache_dir
from cluster.errors import PreflightError
from search_spaces.errors import SpecError
from search_spaces.wording import shown
from sweep.data.dataset import load_dataset
from sweep.spec import SweepSpec
from sweep.store.folder import Folder, open_folder
from sweep.store.layout import MANIFEST
from sweep.store.lease import refuse_if_held, wait_out_if_silent
from sweep.store.manifest import read_manifest
from sweep.tuning.continued_spec import continued_spec, refuse_if_other, refuse_other_device
from sweep.tuning.driver import drive
from sweep.tuning.final_round import FinalRound, looks_at_test_images
from sweep.tuning.planned_trials import planned_trials
from sweep.tuning.proposer import Outcome
from sweep.tuning.result import SweepResult, summarise
from sweep.tuning.warm_start import earlier_outcomes, kept
from sweep.tuning.watch import Watch


def run(
    spec: SweepSpec | str | Path | Mapping[str, Any],
    *,
    storage: str | Path = "results",
    overrides: Sequence[str] = (),
    warm_start: str | Path | None = None,
    sweep_id: str | None = None,
    address: str | None = None,
    watch: Watch | None = None,
) -> SweepResult:
    """Run a sweep to its end.

    spec: a SweepSpec, a YAML file, a shipped study's name, or a mapping. storage: the folder or URI (s3://…)
    that gets the sweep's own folder. overrides: "key.path=value". warm_start: the folder of an earlier
    sweep whose results the search begins with, if it is one that learns. sweep_id: the last part of the folder's name;
    a sweep that has it already is gone on with, so that the same call can be made again after any failure; None: a new
    one, drawn. address: None for a Ray of this machine alone.
    Raises SpecError, DataError, PreflightError before anything starts; StoreError or OSError if rows cannot be written.
    """
    watch = watch or Watch()
    spec = SweepSpec.load(spec, overrides)
    folder = open_folder(storage)
    earlier: list[Outcome] = []
    if warm_start is not None:
        begun = None if sweep_id is None else folder / folder_name(spec, sweep_id)
        if begun is None or not begun.exists(MANIFEST):
            earlier = earlier_outcomes(warm_start, spec)
            _refuse_other_images(warm_start, spec, watch)
        elif not kept(begun):
            raise SpecError(
                f"--warm-start: got {warm_start} for {begun}, which has begun without one; allowed: another --id"
            )
    return start_or_go_on(spec, folder, sweep_id, earlier=earlier, address=address, watch=watch)


def start_or_go_on(
    spec: SweepSpec,
    storage: Folder,
    sweep_id: str | None,
    *,
    earlier: Sequence[Outcome] = (),
    final_round: FinalRound | None = None,
    address: str | None,
    watch: Watch,
) -> SweepResult:
    """Run the sweep of that id, from its beginning or from what is stored of it. See `run` and `drive`."""
    _check_writable(storage)
    sweep = storage / folder_name(spec, sweep_id or secrets.token_hex(3))
    if sweep_id is not None and sweep.exists(MANIFEST):
        refuse_if_other(sweep, read_manifest(sweep)["spec"], spec)
        wait_out_if_silent(sweep, watch.announce)
        return _go_on(sweep, spec, read_manifest(sweep), address=address, watch=watch)
    return drive(sweep, spec, None, address=address, watch=watch, warm_start=earlier, final_round=final_round)


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
    overrides: "key.path=value" of what has no bearing on the numbers (resources, budget, max_retries, trial_timeout).
    retry_failed: try failed trials again.
    take_over: even from a driver that seems to live, which then refuses to write.
    Raises NotASweepError and what `run` raises; SweepInUseError if its driver still lives.
    """
    sweep = open_folder(path)
    manifest = read_manifest(sweep)
    if extend and looks_at_test_images(manifest):
        raise SpecError(f"--extend {extend[0]}: got it for {sweep}, which has looked at the test images; allowed: none")
    spec = continued_spec(manifest["spec"], extend, overrides)
    more, watch = bool(extend) or retry_failed, watch or Watch()
    if extend and _work(spec) == _work(continued_spec(manifest["spec"], (), overrides)):
        watch.announce(f"--extend {' '.join(extend)} adds nothing: there are no other configurations in its space")
    if overrides and not more and manifest["state"] == "COMPLETED":
        watch.announce("--set changes nothing in a complete sweep; `sweep retry DIR --failed` takes it, too")
    return _go_on(
        sweep,
        spec,
        manifest,
        more=more,
        retry_failed=retry_failed,
        take_over=take_over,
        address=address,
        watch=watch,
    )


def _go_on(
    sweep: Folder,
    spec: SweepSpec,
    manifest: dict[str, Any],
    *,
    more: bool = False,
    retry_failed: bool = False,
    take_over: bool = False,
    address: str | None,
    watch: Watch,
) -> SweepResult:
    """more: even if the sweep is complete."""
    if manifest["state"] == "COMPLETED" and not more:
        watch.announce(f"{sweep.name} is complete; nothing is left to train")
        return summarise(sweep)
    refuse_other_device(manifest["spec"], spec)
    _check_writable(sweep)
    if not take_over:
        refuse_if_held(sweep)  # before Ray starts; the writer looks again
    return drive(sweep, spec, manifest, address=address, watch=watch, take_over=take_over, retry_failed=retry_failed)


def _work(spec: SweepSpec) -> tuple[int, int]:
    """Trials, and epochs of each."""
    return planned_trials(spec), spec.epochs


def folder_name(spec: SweepSpec, sweep_id: str) -> str:
    """NAME-ID. Raises SpecError for an id that is not one part of a path."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", sweep_id):
        raise SpecError(f"--id: got {shown(sweep_id)}; allowed: 1 to 40 of the characters a-z, 0-9 and -")
    return f"{spec.name}-{sweep_id}"


def _refuse_other_images(warm_start: str | Path, spec: SweepSpec, watch: Watch) -> None:
    """Raise SpecError if the files behind the data set's name have changed since the earlier sweep."""
    before = read_manifest(open_folder(warm_start))["dataset"]["fingerprint"]
    now = load_dataset(spec.dataset, cache_dir=cache_dir(), progress=watch.announce).fingerprint
    if before != now:
        raise SpecError(
            f"--warm-start {warm_start}: was made with other images ({spec.dataset} had fingerprint {before}, now has "
            f"{now}); allowed: a sweep of the same ones"
        )


def _check_writable(folder: Folder) -> None:
    """Write to the storage before anything starts. Raises PreflightError naming it and the cause."""
    probe = f"_probe-{secrets.token_hex(4)}"
    try:
        folder.write(probe, b"probe")
        folder.remove(probe)
    except OSError as error:
        raise cannot_write(folder, error) from None


def cannot_write(folder: Folder, error: OSError) -> PreflightError:
    """The error that says so."""
    return PreflightError(
        f"--storage {folder}: cannot be written ({error.strerror or error}); give a folder that you may write to"
    )
