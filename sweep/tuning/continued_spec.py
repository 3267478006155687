"""The spec of a sweep that goes on: what may be different from when it began."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from search_spaces.errors import SpecError
from search_spaces.wording import shown
from sweep.spec import SweepSpec

_EXTENDED = {"trials": ("search", "trials"), "epochs": ("epochs",)}
_WITHOUT_BEARING = ("resources", "budget", "max_retries", "trial_timeout")


def continued_spec(stored: Mapping[str, Any], extend: Sequence[str] = (), overrides: Sequence[str] = ()) -> SweepSpec:
    """The stored spec with more trials or epochs, or other resources.

    extend: "trials=N", "epochs=N". overrides: "key.path=value". Raises SpecError for anything that would put rows under
    one sweep that cannot be compared.
    """
    for item in overrides:
        key = item.partition("=")[0]
        if key.partition(".")[0] not in _WITHOUT_BEARING:
            raise SpecError(
                f"{key}: got {item!r} for a sweep that has begun; allowed: {', '.join(_WITHOUT_BEARING)} (and --extend "
                "trials=N or epochs=N): its trials would not be comparable with those it has; start a new sweep with "
                f"`sweep run SPEC --set {shlex.quote(item)}` (and with --warm-start DIR, where its search learns)"
            )
    extensions = [_extension(stored, item) for item in extend]
    return SweepSpec.load(_as_it_ran(stored), [*overrides, *extensions], stored=True)


def refuse_if_other(sweep: object, stored: Mapping[str, Any], spec: SweepSpec) -> None:
    """Raise SpecError if `spec` would train anything but what the sweep of that id trains."""
    asked, stored = spec.to_dict(), _as_it_ran(stored)
    uncut = asked["scheduler"]["type"] == stored["scheduler"]["type"] == "none"
    ignored = (*_WITHOUT_BEARING, "scheduler") if uncut else _WITHOUT_BEARING
    different = [key for key in asked if key not in ignored and asked[key] != stored.get(key)]
    if different:
        key = different[0]
        raise SpecError(
            f"{key}: got {shown(asked[key])}, and the sweep {sweep} has {shown(stored.get(key))}; give the spec it was "
            "started with, and what `--extend` has made of it since, or another --id"
        )


def refuse_other_device(stored: Mapping[str, Any], spec: SweepSpec) -> None:
    """Raise SpecError if `spec` moves a sweep between CPUs and GPUs, which draw other noise: no pairs would be left."""
    asked = spec.resources.gpus_per_trial
    if (stored["resources"]["gpus_per_trial"] > 0) != (asked > 0):
        began = "CPUs" if asked > 0 else "GPUs"
        raise SpecError(
            f"resources.gpus_per_trial: got {asked:g} for a sweep that has begun on {began}; allowed: "
            f"{'0' if asked > 0 else 'a number above 0'}, since noise and rounding differ there; start a new sweep"
        )


def _as_it_ran(stored: Mapping[str, Any]) -> dict[str, Any]:
    """With what was the only way when the sweep began, where its spec does not say it yet."""
    return {"decompose": False, **stored, "scheduler": {"rank_by": "val_acc", "variant": "stop", **stored["scheduler"]}}


def _extension(stored: Mapping[str, Any], item: str) -> str:
    key, _, value = item.partition("=")
    if key not in _EXTENDED:
        raise SpecError(f"--extend {item}: got {key!r}; allowed: trials=N or epochs=N")
    present: Any = stored
    for name in _EXTENDED[key]:
        present = present[name]
    if present is None:
        raise SpecError(f"--extend {item}: this sweep tries every configuration of its space; there are no more")
    if key == "epochs" and stored["scheduler"].get("brackets", 1) > 1:
        raise SpecError(
            f"--extend {item}: got it for a sweep with {stored['scheduler']['brackets']} brackets; allowed: none, as "
            "with other epochs configurations would fall into other brackets; start a new sweep"
        )
    if not value.isdigit() or int(value) <= present:
        raise SpecError(f"--extend {item}: got {value!r}; allowed: an integer above {present}, which it has already")
    return f"{'.'.join(_EXTENDED[key])}={value}"
