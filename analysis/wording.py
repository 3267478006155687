"""How values, losses and configurations are written in text."""

import pandas as pd

_SPEAKING = {"layer_order", "model", "dataset", "optimizer"}  # values that need no name before them


def short(value: object) -> str:
    """A value in few characters: three significant digits, long strings cut. Plain text, not escaped."""
    if value is None or value is pd.NA or value != value:
        return "–"
    if isinstance(value, float):
        return f"{value:.3g}"
    text = str(value)
    if len(text) <= 24:
        return text
    # What tells two data sets apart is the end of their paths.
    return "…" + text[-23:] if text.startswith(("parquet:", "folder:")) else text[:23] + "…"


def last_line(error: str) -> str:
    """Of a traceback, what went wrong."""
    return (error.strip().splitlines() or [""])[-1]


def nats(value: float, *, sign: bool = False) -> str:
    """A loss or gap in text, such as "−0.120 nats"."""
    if pd.isna(value):
        return "unknown"
    rounded = round(value, 3)
    return f"{rounded or 0.0:{'+' if sign and rounded else ''}.3f} nats".replace("-", "−")


def p_number(p: float) -> str:
    """Such as "0.012"; "< 0.001" for what would read as zero."""
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def p_value(p: float) -> str:
    """Such as "p = 0.012", or "p < 0.001"."""
    if pd.isna(p):
        return "no p-value"
    return f"p {'= ' if p >= 0.001 else ''}{p_number(p)}"


def correlation(value: float) -> str:
    """A rank correlation with its sign, such as "+0.29"."""
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")  # -0.0 + 0.0 is 0.0


def labels(rows: pd.DataFrame, names: list[str]) -> list[str]:
    """Each row's configuration in one line, such as "lr 0.003 · drop_rate 0.25 · lbrd". Plain text, not escaped."""
    # The same in every row, but a label must not be empty.
    named = names or ["model", "lr", "drop_rate"]
    words = [
        [short(v) if name in _SPEAKING else f"{name} {short(v)}" for v in rows[name].astype(object)] for name in named
    ]
    return [" · ".join(row) for row in zip(*words, strict=True)]
