"""What an earlier sweep found out, for the search of a new one.

The outcomes are copied into the new sweep's folder: it must resume with what it began with, wherever the old one is by
then.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from search_spaces.errors import SpecError
from sweep.spec import SweepSpec
from sweep.spec_agreement import MULTI_OBJECTIVE
from sweep.store.errors import damaged
from sweep.store.folder import Folder
from sweep.store.layout import WARM_START
from sweep.store.manifest import read_manifest
from sweep.store.reader import read_sweep
from sweep.tuning.ledger import records_from
from sweep.tuning.proposer import Outcome, outcome_of
from sweep.tuning.trial_record import TrialRecord

LEARNING = ("tpe", "gp", "multi-objective", "nsga2")  # search algorithms


def earlier_outcomes(place: str | Path | Folder, spec: SweepSpec) -> list[Outcome]:
    """The configurations of an earlier sweep that lie in the space of `spec` and have ended, as seen at its epochs.

    Raises SpecError if there is none, or `spec` cannot learn from them, and what `read_sweep` raises.
    """
    if spec.search.algorithm not in LEARNING:
        raise SpecError(
            f"search.algorithm: got {spec.search.algorithm} with --warm-start; allowed: {', '.join(LEARNING)}, "
            "which learn from earlier results"
        )
    tables = read_sweep(place)
    before = tables.manifest["spec"]
    for key in ("model", "model_args", "dataset", "train_size"):
        if before[key] != getattr(spec, key):
            raise SpecError(
                f"{key}: got {getattr(spec, key)}; allowed with --warm-start {tables.folder}: {before[key]}, as it had"
            )
    from sweep.tuning.optuna_trials import lies_within  # loads Optuna, which few sweeps need

    two_objectives = spec.search.algorithm in MULTI_OBJECTIVE
    if (two_objectives or spec.search.algorithm == "gp") and before["epochs"] < spec.epochs:
        raise SpecError(
            f"epochs: got {spec.epochs}; allowed with --warm-start {tables.folder} and {spec.search.algorithm}: up to "
            f"{before['epochs']}, which it had: it learns only from what has trained as long as its own trials"
        )
    groups: dict[str, list[TrialRecord]] = {}
    for record in records_from(tables):
        groups.setdefault(record.configuration_id, []).append(record)
    ended = [group for group in groups.values() if all(record.has_ended for record in group)]
    if two_objectives:  # nor can those of a trial that early stopping has cut
        ended = [group for group in ended if not any(record.stop_reason == "asha" for record in group)]
    within = [group for group in ended if lies_within(group[0].configuration, spec.search_space)]
    if not within:
        raise SpecError(
            f"--warm-start {tables.folder}: none of its {len(ended)} configurations that can be compared lies in this "
            "space; allowed: a sweep with some that do, or no --warm-start"
        )
    return [_seen_at(spec.epochs, group) for group in within]


def _seen_at(epochs: int, group: list[TrialRecord]) -> Outcome:
    """What a sweep of so many epochs would have seen: no later one, and what ended before its last was cut."""
    outcome = outcome_of(group)
    val_acc = {epoch: value for epoch, value in outcome.val_acc.items() if epoch <= epochs}
    gap_loss = {epoch: value for epoch, value in outcome.gap_loss.items() if epoch <= epochs}
    # The last epoch of what diverged is the one in which it did. What a rule on its curve ended, it would end again.
    sound = [
        len(record.epochs) - (record.stop_reason == "diverged") >= epochs
        or (record.is_through and record.status == "STOPPED")
        for record in group
        if record.status != "FAILED"
    ]
    status = outcome.status
    if sound and all(sound):
        status = "COMPLETED"
    elif status == "COMPLETED":
        status = "STOPPED"
    return Outcome(outcome.configuration, status, val_acc, gap_loss)


def keep(sweep: Folder, outcomes: Iterable[Outcome]) -> None:
    """Store outcomes in a new sweep's folder. Raises OSError."""
    sweep.write(WARM_START, json.dumps([asdict(outcome) for outcome in outcomes], indent=1).encode())


def kept(sweep: Folder) -> list[Outcome]:
    """The outcomes that a sweep began with; empty for one without a warm start. Raises DamagedFileError."""
    try:
        stored = json.loads(sweep.read(WARM_START))
    except FileNotFoundError:
        if read_manifest(sweep).get("warm_start"):
            raise damaged(sweep.file(WARM_START), "missing") from None
        return []
    except ValueError as error:
        raise damaged(sweep.file(WARM_START), error) from None
    return [
        Outcome(
            each["configuration"],
            each["status"],
            val_acc={int(epoch): value for epoch, value in each["val_acc"].items()},
            gap_loss={int(epoch): value for epoch, value in each["gap_loss"].items()},
        )
        for each in stored
    ]
