"""How trials and times are put into words."""

from collections.abc import Iterable, Mapping
from typing import Any

from sweep.tuning.trial_record import TrialRecord


def describe(configuration: Mapping[str, Any], names: Iterable[str]) -> str:
    """The named hyper-parameters as `lr=0.00123 layer_order=lbrd`; floats with three digits."""
    return " ".join(f"{name}={_short(configuration[name])}" for name in names)


def outcome(record: TrialRecord) -> str:
    """How a trial stands: RUNNING, COMPLETED, STOPPED (asha), FAILED (error), …"""
    return f"{record.status} ({record.stop_reason})" if record.stop_reason else record.status


def count(number: int, noun: str) -> str:
    """1 epoch, 2 epochs."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """42 s, 3 min 20 s, 2 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
