"""HTML from data; every text is escaped here, and nowhere else."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from analysis.searched import short


@dataclass(frozen=True)
class Column:
    """A table's column. kind: text, long (wraps), percent, loss, count, number, seconds."""

    name: str
    title: str
    kind: str = "number"


def escape(value: object) -> str:
    """Text for a place between tags or in a quoted attribute."""
    return html.escape(str(value), quote=True)


def paragraph(text: str, kind: str = "") -> str:
    return f"<p{f' class={kind}' if kind else ''}>{escape(text)}</p>" if text else ""


def table(rows: pd.DataFrame, columns: Sequence[Column]) -> str:
    """A table that its headers sort; missing values show as a dash and sort last."""
    head = "".join(
        f'<th{_class(column, head=True)} scope="col"><button type="button">{escape(column.title)}</button></th>'
        for column in columns
    )
    body = []
    for values in zip(*(rows[column.name] for column in columns), strict=True):
        cells = "".join(_cell(value, column) for value, column in zip(values, columns, strict=True))
        body.append(f"<tr>{cells}</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def figure_block(figure: go.Figure) -> str:
    """A plot's place and its data, or the reason why there is none."""
    meta = figure.layout.meta
    if isinstance(meta, dict) and "empty" in meta:
        return paragraph(meta["empty"], "soft")
    # Nothing in the JSON may end the script element, whatever a label says.
    data = figure.to_json().replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    # The height is reserved, so that the page does not jump while plots are drawn.
    place = f'<div class="figure" style="height:{int(figure.layout.height)}px"></div>'
    return f'{place}<script type="application/json">{data}</script>'


def _class(column: Column, *, head: bool = False) -> str:
    if column.kind not in ("text", "long"):
        return ""
    return f' class="{"text" if head else column.kind}"'


def _cell(value: object, column: Column) -> str:
    if value is None or value is pd.NA or value != value:
        return f'<td{_class(column)} data-v="">–</td>'
    if column.kind == "text":
        return f"<td{_class(column)}>{escape(value)}</td>"
    if column.kind == "long":
        text = str(value)
        return f"<td{_class(column)}>{escape(text if len(text) <= 160 else text[:159] + '…')}</td>"
    number = float(value)  # type: ignore[arg-type]
    shown = {
        "percent": f"{100 * number:.1f} %",
        "loss": f"{number:.3f}".replace("-", "−"),
        "count": f"{number:.0f}",
        "seconds": f"{number:.1f}",
    }.get(column.kind) or short(number)
    return f'<td data-v="{number:.6g}">{shown}</td>'
