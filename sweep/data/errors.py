"""The one error of this room."""


class DataError(ValueError):
    """A dataset cannot be found, read or used; the message is complete on its own."""
