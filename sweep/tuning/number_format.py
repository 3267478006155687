"""Which number format `precision` in a spec stands for.

This needs no torch: the driver asks, which never computes and so never loads torch.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.spec import SweepSpec
from sweep.spec_agreement import has_int16
from sweep.training.precision import Precision

# As MOST_THREADS in sweep.models.linear, which needs torch: float32 products use all cores of a trial, int16 one.
MOST_CPUS_FOR_INT16 = 2


def number_format(spec: SweepSpec, *, on_a_cluster: bool = False) -> Precision:
    """What a sweep that starts now computes in.

    auto is the fastest on this machine's CPU: bf16 where it multiplies that natively (AMX or AVX512-bf16) and a step
    takes about half the time; int16 for an MLP on a CPU with AVX2, where it takes about three quarters, if all of its
    configurations have that: what is compared should not differ in this, too. Elsewhere it is fp32: bf16 would be
    emulated (a CPU) or is not what bounds these small networks (a GPU, whose convolutions round their inputs to TF32
    then, as is torch's default), and on a cluster the driver's CPU says nothing of the others.
    """
    if spec.precision != "auto":
        return spec.precision
    if on_a_cluster or spec.resources.gpus_per_trial > 0:
        return "fp32"
    flags = _cpu_flags()
    if flags & {"amx_bf16", "avx512_bf16"}:
        return "bf16"
    # Vectors of AVX-512 multiply as many float32 as those of AVX2 do int16.
    is_faster = "avx2" in flags and "avx512f" not in flags and spec.resources.cpus_per_trial <= MOST_CPUS_FOR_INT16
    return "int16" if is_faster and has_int16(spec) else "fp32"


def format_of_final_round(search: Mapping[str, Any], spec: SweepSpec) -> Precision:
    """That of the search whose manifest is given, but for int16, which a GPU does not have."""
    found: Precision = search.get("precision", "fp32")
    return "fp32" if found == "int16" and spec.resources.gpus_per_trial > 0 else found


def _cpu_flags() -> set[str]:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()  # not Linux
    return set(next((line for line in text.splitlines() if line.startswith("flags")), "").split())
