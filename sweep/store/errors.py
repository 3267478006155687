"""What can go wrong with a sweep's files.

StoreError
├── NotASweepError      the folder holds no sweep.json
├── DamagedFileError    a file exists but cannot be trusted; never read as fewer rows
├── SweepInUseError     another driver holds the sweep
└── SupersededError     a later driver took the sweep over; this one must not write
"""


class StoreError(RuntimeError):
    """A sweep's files cannot be read or written."""


class NotASweepError(StoreError):
    """The folder is not a sweep's."""


class DamagedFileError(StoreError):
    """A file of the sweep is damaged; the message names it."""


class SweepInUseError(StoreError):
    """Another driver is writing this sweep."""


class SupersededError(StoreError):
    """A later generation owns this sweep."""


def damaged(file: str, why: object) -> DamagedFileError:
    """The error for a file that is not as it was written."""
    return DamagedFileError(
        f"{file}: damaged ({why}); restore it from a copy, or see what is left with `sweep verify DIR --quarantine`"
    )
