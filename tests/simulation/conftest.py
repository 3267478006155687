"""Recorded curves: real ones of CIFAR-10, which lie in the repository."""

from pathlib import Path

import pytest

from sweep.simulation.recorded_curves import RecordedCurves

CURVES = Path(__file__).parents[2] / "benchmarks" / "curves"


@pytest.fixture(scope="session")
def curves() -> RecordedCurves:
    return RecordedCurves.read(CURVES / "cifar10-mlp")
