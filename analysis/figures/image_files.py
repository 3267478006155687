"""The figures as files for papers and slides."""

from importlib.util import find_spec
from pathlib import Path

import plotly.io

from analysis.figures import ALL
from analysis.figures.theme import why_empty
from analysis.results import Results

FORMATS = ("svg", "png", "pdf")
WIDTH = 1000  # px, as in the report; PNGs have three times as many


def save_figures(results: Results, folder: str | Path, image_format: str = "svg") -> list[Path]:
    """Write each figure of the report that has something to show, as NAME.svg, .png or .pdf. Returns the files.

    Plotly draws them with kaleido in a Chrome or Chromium of this machine, which takes some seconds to start.
    Raises ValueError for another format, RuntimeError where kaleido or a browser is missing, OSError.
    """
    if image_format not in FORMATS:
        raise ValueError(f"save_figures: format {image_format!r} is not known; choose one of {', '.join(FORMATS)}")
    if find_spec("kaleido") is None:
        raise RuntimeError("images need kaleido; pip install kaleido")
    place = Path(folder).absolute()
    place.mkdir(parents=True, exist_ok=True)
    drawn = [(draw.__name__, figure) for _, draw, _ in ALL if not why_empty(figure := draw(results))]
    files = [place / f"{name}.{image_format}" for name, _ in drawn]
    try:
        plotly.io.write_images([figure for _, figure in drawn], files, width=WIDTH, scale=3)
    except RuntimeError as error:
        raise RuntimeError(f"images need a Chrome or Chromium that starts; plotly says: {error}") from error
    return files
