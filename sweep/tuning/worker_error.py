"""What ended the last attempt of a trial whose worker was lost."""

from pathlib import Path
from typing import Any


def last_error(trial: Any) -> str | None:
    """The text of a Tune trial's latest error, None if it had none.

    From the file that Tune adds to with each error: its own method reads a copy that may be older or not be there yet.
    """
    try:
        text = Path(trial.error_file).read_text()
    except OSError:
        return None
    _, _, latest = text.rpartition("Failure # ")
    return latest.partition("\n")[2].strip() or None
