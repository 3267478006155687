"""The report, written to a file."""

from pathlib import Path

from analysis.page.document import document
from analysis.page.markdown import markdown
from analysis.results import Results
from sweep.store.folder import write_atomically


class UnknownFormatError(ValueError):
    """A report cannot be written in the format that a file's name asks for."""


FORMATS = {".html": document, ".htm": document, ".md": markdown}


def report(results: Results, out: str | Path) -> Path:
    """Write the report to `out`, by its ending: .html, one file of about 5 MB that opens offline, or .md, the findings,
    tables and sentences alone. Returns its absolute path.

    Works on a running sweep, on one without epochs, and on one in which every trial failed.
    Raises UnknownFormatError for another ending, OSError if the file cannot be written; an existing one then stays.
    """
    path = Path(out).absolute()
    if path.suffix.lower() not in FORMATS:
        raise UnknownFormatError(f"report: {path.name} ends in {path.suffix!r}; name a file that ends in .html or .md")
    write_atomically(path, FORMATS[path.suffix.lower()](results).encode())
    return path
