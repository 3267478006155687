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
from sweep.store.folder import Folder
from sweep.store.reader import read_sweep
from sweep.tuning.ledger import records_from
from sweep.tuning.proposer import Outcome, outcome_of
from sweep.tuning.trial_record import TrialRecord

LEARNING = ("tpe", "gp", "multi-objective", "nsga2")  # search algorithms

FILE = "warm-start.json"


def earlier_outcomes(place: str | Path | Folder, spec: SweepSpec) -> list[Outcome]:
    """The configurations of an earlier sweep all of whose replicates have ended.

    Raises SpecError if `spec` cannot learn from them, and what `read_sweep` raises.
    """
    if spec.search.algorithm not in LEARNING:
        raise SpecError(
            f"search.algorithm: got {spec.search.algorithm} with --warm-start; allowed: {', '.join(LEARNING)}, "
            "which learn from earlier results"
        )
    tables = read_sweep(place)
    for key in ("model", "dataset"):
        earlier, present = tables.manifest["spec"][key], getattr(spec, key)
        if earlier != present:
            raise SpecError(f"{key}: got {present}; allowed with --warm-start {tables.folder}: {earlier}, as it had")
    groups: dict[str, list[TrialRecord]] = {}
    for record in records_from(tables):
        groups.setdefault(record.configuration_id, []).append(record)
    return [outcome_of(group) for group in groups.values() if all(record.has_ended for record in group)]


def keep(sweep: Folder, outcomes: Iterable[Outcome]) -> None:
    """Store outcomes in a new sweep's folder. Raises OSError."""
    sweep.write(FILE, json.dumps([asdict(outcome) for outcome in outcomes], indent=1).encode())


def kept(sweep: Folder) -> list[Outcome]:
    """The outcomes that a sweep began with; empty for one without a warm start."""
    try:
        stored = json.loads(sweep.read(FILE))
    except FileNotFoundError:
        return []
    return [
        Outcome(
            each["configuration"],
            each["status"],
            val_acc={int(epoch): value for epoch, value in each["val_acc"].items()},
            gap_loss={int(epoch): value for epoch, value in each["gap_loss"].items()},
        )
        for each in stored
    ]
