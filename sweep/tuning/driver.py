"""The driver: from a spec to the compacted files, fresh or from what is stored."""

import shlex
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any, NamedTuple

from cluster.connect import ray_session
from cluster.environment import cache_dir
from cluster.nodes import Node, look_at_nodes, refuse_unfit
from cluster.preflight import check_this_machine, idle_gpus
from cluster.scratch_folder import scratch_folder
from cluster.waiting import wait_for_a_place
from sweep.data.dataset import ImageDataset, load_dataset
from sweep.data.source import check_dataset
from sweep.data.split import split_indices
from sweep.spec import SweepSpec
from sweep.store.errors import StoreError, SweepInUseError
from sweep.store.folder import Folder
from sweep.store.layout import CHECKPOINTS, MANIFEST, STUDY_JOURNAL
from sweep.store.manifest import read_manifest, write_manifest
from sweep.store.reader import read_sweep
from sweep.store.stop_request import StopRequests
from sweep.store.storage_probe import StorageProbe
from sweep.store.writer import StoreWriter
from sweep.tuning.assignments import Assignments
from sweep.tuning.build_stopping import build_stopping
from sweep.tuning.checkpoint_cleaner import CheckpointCleaner, may_go_on
from sweep.tuning.drain import Drain
from sweep.tuning.final_round import FinalRound, looks_at_test_images
from sweep.tuning.interrupts import Interrupts
from sweep.tuning.ledger import Ledger
from sweep.tuning.lost_workers import survive_lost_workers
from sweep.tuning.manifest_content import manifest_content, timestamp
from sweep.tuning.number_format import format_of_final_round
from sweep.tuning.out_of_memory import TriedAgainAlone, survive_memory_kills
from sweep.tuning.pace import Pace
from sweep.tuning.places import Places
from sweep.tuning.planned_trials import planned_configurations
from sweep.tuning.proposer import Outcome
from sweep.tuning.ready_workers import modules_to_preload, trials_use_waiting_workers
from sweep.tuning.result import SweepResult, summarise
from sweep.tuning.same_failure import SameFailure
from sweep.tuning.settle import settle
from sweep.tuning.waiting import Waiting
from sweep.tuning.warm_start import keep, kept
from sweep.tuning.watch import Watch


def drive(
    sweep: Folder,
    spec: SweepSpec,
    manifest: dict[str, Any] | None,
    *,
    address: str | None,
    watch: Watch,
    take_over: bool = False,
    retry_failed: bool = False,
    warm_start: Sequence[Outcome] = (),
    final_round: FinalRound | None = None,
) -> SweepResult:
    """Train what the store of `sweep` does not have yet. manifest: None for a sweep that starts now.

    final_round: of a final choice, which is to use the data and the number format of its search.
    """
    began = time.monotonic()
    dataset = None
    if address is None:
        check_this_machine(spec.resources.cpus_per_trial, spec.resources.gpus_per_trial)
        dataset = _dataset(spec, watch.announce)  # what is refused is refused before Ray starts
    watch.announce("starting Ray on this machine" if address is None else f"connecting to Ray at {address}")
    with ray_session(address, preload=modules_to_preload(spec)), Interrupts(watch.announce) as interrupts:
        # Nothing is left of a sweep that is refused before it begins.
        storage = sweep.parent if manifest is None else sweep
        if address is not None:
            check_cluster(storage, spec.dataset, watch.announce)
        if wait_for_a_place(spec.resources.cpus_per_trial, spec.resources.gpus_per_trial, watch.announce):
            check_cluster(storage, spec.dataset, watch.announce)  # the nodes that have come
        if manifest is None and (idle := idle_gpus(spec.resources.gpus_per_trial)):
            watch.announce(f"{idle:g} GPUs idle; `--set resources.gpus_per_trial=0.1` would put ten trials on each")
        places = Places(spec.resources, elastic=address is not None)
        dataset = dataset or _dataset(spec, watch.announce)
        if manifest is None:
            manifest = manifest_content(sweep.name, spec, dataset, on_a_cluster=address is not None)
            if final_round is not None:
                _refuse_other_data(sweep, spec, dataset, final_round.search)
                manifest["precision"] = format_of_final_round(final_round.search, spec)
                manifest["final_round"] = final_round.note()
            if sweep.exists(MANIFEST):
                raise SweepInUseError(f"{sweep}: another driver has begun this sweep just now; give another --id")
            if warm_start:
                keep(sweep, warm_start)
                manifest["warm_start"] = len(warm_start)  # configurations
            write_manifest(sweep, manifest)
        else:
            _refuse_other_data(sweep, spec, dataset, manifest)
        writer = StoreWriter(sweep, take_over=take_over)
        try:
            _refuse_if_gone_on(sweep, manifest)
            manifest = {**manifest, "generation": writer.generation, "spec": spec.to_dict()}
            writer.refuse_if_superseded()
            write_manifest(sweep, {**manifest, "state": "RUNNING", "ended": None})
            ledger = Ledger(writer, manifest["sweep_id"], spec)  # also where the folder has been renamed
            ledger.restore(read_sweep(sweep), retry_failed=retry_failed)
            writer.flush()
            writer.tell_progress(Pace(spec, ledger).progress)
            precision = manifest.get("precision", "fp32")
            watch.announce(f"sweep {sweep.name}: {places.now()} trials at once, in {precision}; files in {sweep}")
            with trials_use_waiting_workers() if address is None else nullcontext():
                ending = _train(sweep, spec, manifest, ledger, writer, places, began, watch)
            ledger.put_unfinished()
            ledger.abandon_orphans()
            writer.compact()
            writer.refuse_if_superseded()
            if ending.complete and not any(map(may_go_on, ledger.trials.values())):
                with suppress(OSError):
                    (sweep / CHECKPOINTS).clear()
            state = "COMPLETED" if ending.complete else "INTERRUPTED"
            write_manifest(sweep, {**manifest, "state": state, "ended": timestamp()})
        except OSError as error:
            raise OSError(
                f"{error.filename or sweep}: {error.strerror or error}; every row stored so far is kept: once that is "
                f"mended, go on with `sweep resume {shlex.quote(str(sweep))}`"
            ) from error
        finally:
            writer.close()
    stopped_by = interrupts.received or (signal.SIGINT if ending.stopped else None)
    return summarise(sweep, interrupted_by=stopped_by, budget=ending.budget)


def _refuse_if_gone_on(sweep: Folder, manifest: Mapping[str, Any]) -> None:
    """Raise SweepInUseError if another driver has worked on the sweep since its manifest was read.

    Waiting for nodes may take hours, and what is written now goes back to what was read then.
    """
    now = read_manifest(sweep)
    if any(now.get(key) != manifest.get(key) for key in ("generation", "spec", "state")):
        raise SweepInUseError(f"{sweep}: another driver has worked on it since this command began; give it again")


def _dataset(spec: SweepSpec, announce: Callable[[str], None]) -> ImageDataset:
    """The spec's images. Raises DataError, and SpecError for a train_size that they do not have."""
    dataset = load_dataset(spec.dataset, cache_dir=cache_dir(), progress=announce)
    split_indices(len(dataset.train_images), seed=0, train_size=spec.train_size)
    return dataset


def _refuse_other_data(sweep: Folder, spec: SweepSpec, dataset: ImageDataset, manifest: Mapping[str, Any]) -> None:
    """Raise StoreError if the sweep of that manifest was made with other images."""
    if manifest["dataset"]["fingerprint"] != dataset.fingerprint:
        raise StoreError(
            f"{sweep}: made with dataset {spec.dataset} of fingerprint {manifest['dataset']['fingerprint']}, "
            f"which now has {dataset.fingerprint}; restore the data, or start a new sweep"
        )


def check_cluster(storage: Folder, dataset: str, announce: Callable[[str], None]) -> list[Node]:
    """Look at every node of the connected cluster before the first trial. Raises PreflightError, a line a problem."""
    probe = StorageProbe(storage)
    try:
        nodes = look_at_nodes(probe, partial(check_dataset, dataset))
    finally:
        probe.clear()
    refuse_unfit(nodes)
    announce(f"nodes: {len(nodes)}, all of the same versions and code; all find the data, and write to the storage")
    return nodes


class _Ending(NamedTuple):
    """Whether nothing is left to train, what of the budget is used up, and whether somebody asked it to stop."""

    complete: bool
    budget: str | None = None
    stopped: bool = False


def _train(
    sweep: Folder,
    spec: SweepSpec,
    manifest: Mapping[str, Any],
    ledger: Ledger,
    writer: StoreWriter,
    places: Places,
    began: float,
    watch: Watch,
) -> _Ending:
    """Let Ray Tune train what is left. began: when the command did, in `time.monotonic`."""
    from ray import tune

    from sweep.tuning.hang import HangWatch
    from sweep.tuning.trainable import TrialJob, train_trial
    from sweep.tuning.tune_adapters import AssignmentSearcher, LedgerCallback, StoppingScheduler, StopWhen

    checkpoints = sweep / CHECKPOINTS
    stopping = build_stopping(spec)
    cleaner = CheckpointCleaner(checkpoints, ledger)
    ledger.listeners.append(cleaner)
    writer.when_stored.append(cleaner.rows_are_stored)
    settle(ledger, stopping)
    assignments = Assignments(spec, ledger, stopping, kept(sweep))
    reached = assignments.budget_reached(0.0)
    if reached is not None:
        if assignments.is_complete():
            return _Ending(complete=True)  # the last epoch of all has used it up
        watch.announce(f"{reached}, used up before; give it more with `--set`")
        return _Ending(complete=False, budget=reached)

    def budget_reached(*, and_epoch_s: float | None = None) -> str | None:
        return assignments.budget_reached(time.monotonic() - began, and_epoch_s=and_epoch_s)

    drain, failure = Drain(), SameFailure(ledger.trials.values(), configurations=planned_configurations(spec))
    ledger.listeners += [assignments, failure]
    if watch.listener is not None:
        ledger.listeners.append(watch.listener(spec, ledger))
    alone = TriedAgainAlone(spec.resources, watch.announce)
    scheduler = StoppingScheduler(stopping, ledger, drain, alone, budget_reached)
    hangs, stop_requests = HangWatch(spec.trial_timeout), StopRequests(sweep, manifest["generation"])
    waiting = Waiting(spec.resources, watch.announce)
    job = TrialJob(
        dataset=spec.dataset,
        fingerprint=manifest["dataset"]["fingerprint"],
        checkpoints=checkpoints,
        model=spec.model,
        model_args=spec.model_args,
        sweep_seed=spec.search.seed,
        train_size=spec.train_size,
        epochs=spec.epochs,
        saved_epochs=frozenset(stopping.rungs if stopping.lets_wait else ()),
        threads=max(1, int(spec.resources.cpus_per_trial)),
        gpu=spec.resources.gpus_per_trial > 0,
        precision=manifest.get("precision", "fp32"),
        decompose=spec.decompose,
        test=looks_at_test_images(dict(manifest)),
    )
    survive_memory_kills()
    survive_lost_workers()
    # Tune insists on a folder of its own; nothing in it is read again.
    with scratch_folder() as scratch:
        tune.run(
            tune.with_parameters(train_trial, job=job),
            name=sweep.name,
            storage_path=str(scratch),
            search_alg=AssignmentSearcher(assignments, drain, places),
            scheduler=scheduler,
            callbacks=[
                LedgerCallback(
                    ledger, assignments, scheduler, hangs, drain, stop_requests, waiting, budget_reached, watch.announce
                )
            ],
            stop=StopWhen(lambda: failure.hopeless or drain.done),
            num_samples=-1,
            resources_per_trial={"cpu": spec.resources.cpus_per_trial, "gpu": spec.resources.gpus_per_trial},
            max_failures=spec.max_retries,
            raise_on_failed_trial=False,
            # Importing torch costs seconds a process: the next trial takes the worker over.
            reuse_actors=True,
            trial_name_creator=_trial_name,
            trial_dirname_creator=_trial_name,
            verbose=0,
        )
    is_complete = assignments.is_complete()
    journal = assignments.study_journal()
    if journal is not None:
        sweep.write(STUDY_JOURNAL, journal)
    if failure.hopeless:
        watch.announce("the first trials all fail with the same error; stopped early")
    if is_complete:
        return _Ending(complete=True, stopped=drain.begun and drain.reason is None)
    budget = assignments.budget_reached(0.0) or drain.reason
    return _Ending(complete=False, budget=budget, stopped=drain.begun and drain.reason is None)


def _trial_name(trial: Any) -> str:
    return trial.config["trial_id"]
