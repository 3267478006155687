"""HTML from data; every text is escaped here, and nowhere else."""

import html

import plotly.graph_objects as go

from analysis.page.tables import Column, Table, is_missing


def escape(value: object) -> str:
    """Text for a place between tags or in a quoted attribute."""
    return html.escape(str(value), quote=True)


def paragraph(text: str, kind: str = "") -> str:
    return f"<p{f' class={kind}' if kind else ''}>{escape(text)}</p>" if text else ""


def table(content: Table) -> str:
    """A table that its headers sort; missing values show as a dash and sort last."""
    head = "".join(
        f'<th{_class(column, head=True)} scope="col"><button type="button">{escape(column.title)}</button></th>'
        for column in content.columns
    )
    body = []
    for values in zip(*(content.rows[column.name] for column in content.columns), strict=True):
        cells = "".join(_cell(value, column) for value, column in zip(values, content.columns, strict=True))
        body.append(f"<tr>{cells}</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def figure_block(figure: go.Figure) -> str:
    """A plot's place and its data."""
    # Nothing in the JSON may end the script element, whatever a label says.
    data = figure.to_json().replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    # The height is reserved, so that the page does not jump while plots are drawn.
    place = f'<div class="figure" style="height:{int(figure.layout.height)}px"></div>'
    return f'{place}<script type="application/json">{data}</script>'


def _class(column: Column, *, head: bool = False) -> str:
    return f' class="{"text" if head else column.kind}"' if column.is_text else ""


def _cell(value: object, column: Column) -> str:
    sorts_by = "" if is_missing(value) else None if column.is_text else f"{float(value):.6g}"  # type: ignore[arg-type]
    data = "" if sorts_by is None else f' data-v="{sorts_by}"'
    return f"<td{_class(column)}{data}>{escape(column.shown(value))}</td>"
