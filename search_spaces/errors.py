"""The one error this package raises for what a person wrote wrongly."""


class SpecError(ValueError):
    """A study file, an override or a domain that cannot be used.

    The message is complete on its own: the key path, the value got, what is allowed and what to do.
    Several mistakes in one file make one SpecError with a line each.
    """
