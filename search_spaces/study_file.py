"""Finds and reads a study: a YAML file of the user's, or one of the studies shipped in studies/."""

import os
from pathlib import Path

from search_spaces.errors import SpecError
from search_spaces.wording import nearest, shown
from search_spaces.yaml_reader import read_yaml

MAX_BYTES = 1_000_000

_STUDIES = Path(__file__).parent / "studies"


def study_names() -> list[str]:
    """The names of the shipped studies, sorted."""
    return sorted(path.stem for path in _STUDIES.glob("*.yaml"))


def read_mapping(source: str) -> dict[str, object]:
    """The mapping in the file at `source`, or in the shipped study of that name; a file wins over a study.

    SpecError for a missing file, a folder, an unknown study, more than MAX_BYTES, and anything but a YAML mapping.
    """
    path = _locate(source)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpecError(f"{source}: cannot be read ({error.strerror}); allowed: a readable YAML file") from None
    if len(content) > MAX_BYTES:
        raise SpecError(f"{source}: got more than {MAX_BYTES} bytes; allowed: a study file of at most {MAX_BYTES}")
    try:
        value = read_yaml(content)
    except SpecError as error:
        raise SpecError("\n".join(f"{source}: {line}" for line in str(error).splitlines())) from None
    allowed = "allowed: a mapping of keys such as name, model, dataset, epochs"
    if value is None:
        raise SpecError(f"{source}: got an empty file; {allowed}")
    if not isinstance(value, dict):
        raise SpecError(f"{source}: got {shown(value)}, which is not a mapping; {allowed}")
    return value


def _locate(source: str) -> Path:
    # os.path, not pathlib: it answers False where pathlib raises, for a name too long or with a NUL in it.
    if os.path.exists(source) and not os.path.isdir(source):
        return Path(source)
    if source in study_names():
        return _STUDIES / f"{source}.yaml"
    allowed = f"allowed: a YAML file, or a study: {', '.join(study_names())}"
    if os.path.isdir(source):
        raise SpecError(f"{source}: got a folder; {allowed}")
    guess = nearest(Path(source).stem, study_names())
    hint = f"; did you mean {guess}?" if guess else ";"
    what = (
        "no such file" if source.endswith((".yaml", ".yml", ".json")) or os.sep in source else "no such file or study"
    )
    raise SpecError(f"{shown(source)}: {what}{hint} {allowed}")
