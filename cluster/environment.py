"""The environment variables that gapsweep reads and sets; no other file does."""

import getpass
import os
from pathlib import Path


def cache_dir() -> Path:
    """Where decoded data sets live: $GAPSWEEP_CACHE, else $XDG_CACHE_HOME/gapsweep, else ~/.cache/gapsweep."""
    if chosen := os.environ.get("GAPSWEEP_CACHE"):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return (Path(base) / "gapsweep").expanduser().absolute()


def owner() -> str:
    """Who starts a sweep: $GAPSWEEP_OWNER, which `sweep submit` passes on, else the user of this process."""
    if given := os.environ.get("GAPSWEEP_OWNER"):
        return given
    try:
        return getpass.getuser()
    except OSError:  # a container's user may have no name
        return str(os.getuid())


def ray_token() -> tuple[str, str] | None:
    """The token for Ray clusters and where it was found, in the order in which Ray looks; None if there is none."""
    if token := os.environ.get("RAY_AUTH_TOKEN", "").strip():
        return token, "RAY_AUTH_TOKEN"
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    path = Path(named).expanduser() if named else Path.home() / ".ray" / "auth_token"
    try:
        token = path.read_text().strip()
    except OSError:
        return None
    return (token, str(path)) if token else None


def forget_ray_address() -> None:
    """Take out the variables that Ray obeys even where an address is given: what the user typed counts."""
    for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):
        os.environ.pop(name, None)


def prepare_ray_environment() -> None:
    """Set what Ray and Ray Tune read from the environment; call before they are imported.

    A value that the user has set stays.
    """
    for name, value in {
        # The store replaces Tune's per-trial files and snapshots, which are what makes large sweeps slow.
        "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
        "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
        # Tune's own progress tables; ours replaces them.
        "RAY_AIR_NEW_OUTPUT": "0",
        # A lost worker is started again and its trial says so in one line; Tune would print Ray's whole account of it.
        "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
        # Our searcher knows how many there is room for; with a searcher, Tune would let one trial wait at a time.
        "TUNE_MAX_PENDING_TRIALS_PG": "100000",
        # Preflight has checked that the resources exist.
        "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "1000000",
        "RAY_DEDUP_LOGS": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    }.items():
        os.environ.setdefault(name, value)
