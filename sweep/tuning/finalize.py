"""The final choice of a sweep: its best configurations trained again on fresh seeds, the last few tested.

The winner of a search is the highest of many noisy numbers: lucky as well as good. So candidates first compete on
seeds (split, initial weights, order, noise) that the search did not use, fewer of them on more seeds from round to
round. What is left is trained on yet other seeds, and measured on the test images. Each round is a sweep of its own
beside the first: NAME-round1-ID and so on, then NAME-final-ID.
"""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from search_spaces.errors import SpecError
from sweep.spec import SweepSpec
from sweep.store.folder import Folder, open_folder
from sweep.store.layout import MANIFEST
from sweep.store.lease import refuse_if_held
from sweep.store.manifest import read_manifest
from sweep.store.reader import SweepTables, read_sweep
from sweep.training.seeds import seed_for
from sweep.tuning.continued_spec import continued_spec
from sweep.tuning.final_round import FinalRound
from sweep.tuning.launch import folder_name, start_or_go_on
from sweep.tuning.ledger import records_from
from sweep.tuning.result import SweepResult
from sweep.tuning.trial_record import TrialRecord
from sweep.tuning.watch import Watch

REDUCTION = 3  # as many times fewer configurations from round to round, on as many times more seeds
MIN_SEEDS = 2  # in a round: one seed is what the search had
_FIT = "the configurations that have an epoch and no failed trial"


@dataclass(frozen=True)
class Scored:
    """A configuration, the mean over its replicates of their best val_acc, and how many epochs the longest one had."""

    configuration_id: str
    configuration: dict[str, Any]
    val_acc: float
    epochs_run: int


@dataclass(frozen=True)
class Round:
    """So many configurations on so many seeds each."""

    configurations: int
    replicates: int


def finalize(
    path: str | Path,
    *,
    top: int | None = None,
    replicates: int = 5,
    candidates: int | None = None,
    unfinished: bool = False,
    overrides: Sequence[str] = (),
    address: str | None = None,
    watch: Watch | None = None,
) -> SweepResult:
    """Train the best configurations of a sweep again, on fresh seeds, and measure the last `top` on the test images.

    top: None for three, or all there are. replicates: seeds of each of these. candidates: with how many the choice
    begins, best val_acc first; None: three times `top`, or all there are. unfinished: choose also from a sweep that has
    work left. overrides: "key.path=value" of what has no bearing on the numbers, such as resources; a budget is each
    round's.
    Interrupted, the same call goes on. Returns the result of the last round, or of one that was interrupted or in which
    a trial failed: `analysis.final_scores(analysis.load(result.path))` has the figures.
    Raises SpecError for numbers that do not fit the sweep or were others before, and what `run` raises.
    """
    watch = watch or Watch()
    sweep = open_folder(path)
    tables = read_sweep(sweep)
    manifest = tables.manifest
    _refuse_unfit(sweep, manifest, unfinished)
    # What the search was allowed to spend is spent.
    spec = continued_spec({**manifest["spec"], "budget": {}}, (), overrides)
    ranked = rank(tables)
    top = min(3, len(ranked)) if top is None else top
    planned = _rounds_of(ranked, top, replicates, candidates)
    search_id = manifest["sweep_id"].removeprefix(f"{spec.name}-")
    settings = {"configurations x seeds": [list(asdict(each).values()) for each in planned]}
    kinds = [*(f"round{number}" for number in range(1, len(planned))), "final"]
    folders = {kind: sweep.parent / folder_name(_named(spec, kind), search_id) for kind in kinds}
    _refuse_another(folders, settings)
    steps = ", then ".join(f"{each.configurations} x {each.replicates}" for each in planned)
    trainings = sum(each.configurations * each.replicates for each in planned)
    watch.announce(
        f"final choice of {sweep.name}, configurations x fresh seeds: {steps}; {trainings} trainings of {spec.epochs} "
        "epochs"
    )
    chosen = ranked
    for kind, size in zip(kinds, planned, strict=True):
        if len(chosen) < size.configurations:
            watch.announce(f"{kind}: only {len(chosen)} of {size.configurations} configurations are left to go on with")
        chosen = chosen[: size.configurations]
        if not chosen:
            raise SpecError(
                f"{folders[kind]}: no configuration trains on fresh seeds with finite losses; see the round before"
            )
        study = _study(spec, chosen, size, kind)
        _refuse_other_candidates(folders[kind], study)
        result = start_or_go_on(
            study,
            sweep.parent,
            search_id,
            final_round=FinalRound(manifest, kind, settings, len(ranked), _as_found(ranked, chosen)),
            address=address,
            watch=watch,
        )
        if result.state != "COMPLETED" or result.statuses["FAILED"]:
            return result
        if result.interrupted_by is not None and kind != "final":
            return replace(result, state="INTERRUPTED")  # this round is through, the choice is not
        chosen = rank(read_sweep(result.path))
    return result


def rounds(candidates: int, top: int, replicates: int) -> list[Round]:
    """From `candidates` down to `top`, which get `replicates` seeds: successive halving with seeds as the resource."""
    planned = [Round(top, replicates)]
    while planned[0].configurations < candidates:
        first = planned[0]
        seeds = min(replicates, max(MIN_SEEDS, -(-first.replicates // REDUCTION)))
        planned.insert(0, Round(min(candidates, REDUCTION * first.configurations), seeds))
    return planned


def rank(tables: SweepTables) -> list[Scored]:
    """The configurations that have an epoch, highest val_acc first.

    Left out: those with a failed trial; behind all others: those of which a seed diverged.
    """
    groups: dict[str, list[TrialRecord]] = {}
    for record in records_from(tables):
        groups.setdefault(record.configuration_id, []).append(record)
    scored: list[tuple[bool, Scored]] = []
    for key, group in groups.items():
        best = [record.best["val_acc"] for record in group if record.best is not None]
        if best and not any(record.status == "FAILED" for record in group):
            diverged = any(record.stop_reason == "diverged" for record in group)
            epochs_run = max(len(record.epochs) for record in group)
            scored.append((diverged, Scored(key, group[0].configuration, fmean(best), epochs_run)))
    return [each for _, each in sorted(scored, key=lambda pair: (pair[0], -pair[1].val_acc))]


def _refuse_unfit(sweep: Folder, manifest: dict[str, Any], unfinished: bool) -> None:
    refuse_if_held(sweep)
    if "final_round" in manifest:
        raise SpecError(f"{sweep}: is part of the final choice of {manifest['final_round']['search']}; give that one")
    if manifest["state"] != "COMPLETED" and not unfinished:
        raise SpecError(
            f"{sweep}: has work left; go on with `sweep resume {shlex.quote(str(sweep))}`, or choose from what is "
            "there with --unfinished"
        )


def _rounds_of(ranked: list[Scored], top: int, replicates: int, candidates: int | None) -> list[Round]:
    if not ranked:
        raise SpecError("--top: no configuration has an epoch and no failed trial; first `sweep retry DIR --failed`")
    if not 1 <= top <= len(ranked):
        raise SpecError(f"--top: got {top}; allowed: 1 to {len(ranked)}, {_FIT}")
    if replicates < 1:
        raise SpecError(f"--replicates: got {replicates}; allowed: an integer from 1; an interval needs 2")
    if candidates is None:
        candidates = min(REDUCTION * top, len(ranked))
    elif not top <= candidates <= len(ranked):
        raise SpecError(f"--candidates: got {candidates}; allowed: {top} (--top) to {len(ranked)}, {_FIT}")
    return rounds(candidates, top, replicates)


def _refuse_another(folders: dict[str, Folder], settings: dict[str, Any]) -> None:
    """Raise SpecError if a choice with other numbers has begun."""
    for folder in reversed(folders.values()):
        if not folder.exists(MANIFEST):
            continue
        before = read_manifest(folder).get("final_round", {}).get("settings")
        if before != settings:
            tested = folder.name == folders["final"].name
            why = "whoever chooses again after a look at the test images chooses by them: " if tested else ""
            raise SpecError(
                f"{folder}: begun by a `sweep finalize` with other numbers ({before}, now {settings}); {why}repeat "
                "those, or remove the rounds' folders and start over"
            )


def _refuse_other_candidates(folder: Folder, study: SweepSpec) -> None:
    """Raise SpecError if a round has begun with other configurations: the search has gone on since."""
    if folder.exists(MANIFEST) and read_manifest(folder)["spec"]["configurations"] != study.to_dict()["configurations"]:
        raise SpecError(
            f"{folder}: begun with other configurations, as the search has other best ones now; remove the rounds' "
            "folders and start over, or leave the choice as it is"
        )


def _named(spec: SweepSpec, kind: str) -> SweepSpec:
    return spec.model_copy(update={"name": f"{spec.name[: 59 - len(kind)]}-{kind}"})


def _study(spec: SweepSpec, chosen: list[Scored], size: Round, kind: str) -> SweepSpec:
    """A study of the chosen configurations: data, model and training as in the search, other seeds."""
    number = 0 if kind == "final" else int(kind.removeprefix("round"))
    return SweepSpec.load(
        {
            **_named(spec, kind).to_dict(),
            "mode": "study",
            "decompose": kind == "final",
            "replicates": size.replicates,
            "space": {},
            "configurations": [each.configuration for each in chosen],
            "search": {"seed": seed_for(spec.search.seed, number, "fresh")},
            "scheduler": "none",
            "stop_rules": {},
        },
        stored=True,
    )


def _as_found(ranked: list[Scored], chosen: list[Scored]) -> dict[str, dict[str, Any]]:
    """How high the search saw the chosen ones, by configuration_id."""
    ids = {each.configuration_id for each in chosen}
    return {
        each.configuration_id: {"val_acc": each.val_acc, "epochs_run": each.epochs_run}
        for each in ranked
        if each.configuration_id in ids
    }
