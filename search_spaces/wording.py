"""How errors name a value and an unknown key, so that every message of this package reads alike."""

import difflib
from collections.abc import Iterable

SHOWN_CHARACTERS = 80


def shown(value: object) -> str:
    """`value` as a person wrote it, cut to a readable length; null, true and false are spelled as in YAML."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    text = repr(value)
    if len(text) <= SHOWN_CHARACTERS:
        return text
    length = f"{len(value)} long" if isinstance(value, str | list | dict) else f"{len(text)} characters"
    return f"{text[:SHOWN_CHARACTERS]}… ({length})"


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name most like `name`, None if none resembles it."""
    return next(iter(difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)), None)


def unknown_key(path: str, value: object, keys: Iterable[str], elsewhere: str | None = None) -> str:
    """The line for a key that nobody reads. `elsewhere`: the full path where this very key would be right."""
    keys = list(keys)
    parent, dot, key = path.rpartition(".")
    like = nearest(key, keys)
    guess = elsewhere or (like and parent + dot + like)
    hint = f"; did you mean {guess}?" if guess else ";"
    return f"{path}: unknown key (got {shown(value)}){hint} allowed: {', '.join(keys)}"
