"""The report in short, as Markdown for a pull request or a notebook."""

import re
from collections.abc import Iterable

from analysis.figures import ALL
from analysis.figures.theme import why_empty
from analysis.findings import findings
from analysis.gap_table import matched_epoch
from analysis.page.header import facts, title
from analysis.page.tables import Table, best_configurations, factor_levels, setting_differences
from analysis.results import Results

MOST_ROWS = 20


def markdown(results: Results) -> str:
    """Findings, tables, and the sentence of each figure; GitHub's dialect."""
    told = ", ".join(f"{name}: {value}" for name, value in facts(results).items() if name != "folder")
    parts = [
        f"## {escape(title(results))}",
        escape(told),
        *(f"**{escape(found.title)}** {escape(found.text)}" for found in findings(results)),
        "### Best configurations",
        _table(best_configurations(results)),
    ]
    epoch = matched_epoch(results)
    for name, content in (
        (f"Differences between settings, at epoch {epoch}", setting_differences(results)),
        (f"Gap by setting, at epoch {epoch}", factor_levels(results)),
    ):
        if content.columns:
            parts += [f"### {name}", _table(content)]
    said = [f"- **{name}.** {escape(say(results))}" for name, draw, say in ALL if not why_empty(draw(results))]
    if said:
        parts += ["### What the figures of the HTML report show", "\n".join(said)]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: object) -> str:
    """Text that Markdown shows as it is, on one line."""
    line = " ".join(str(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = re.sub(r"([\\\\`*\[\]|~#!])", r"\\\1", line)
    # Within a word, as in drop_rate, GitHub leaves it alone.
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", line)


def _table(content: Table) -> str:
    if not content.columns:
        return escape(content.words)
    rows, words = content.rows.head(MOST_ROWS), content.words
    if len(rows) < len(content.rows):
        words += f" The first {len(rows)} of {len(content.rows)} rows."
    lines = [
        _row(escape(column.title) for column in content.columns),
        _row("---" if column.is_text else "--:" for column in content.columns),
    ]
    for values in zip(*(rows[column.name] for column in content.columns), strict=True):
        cells = zip(content.columns, values, strict=True)
        lines.append(_row(escape(column.shown(value)) for column, value in cells))
    return "\n".join(lines) + (f"\n\n{escape(words)}" if words.strip() else "")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
