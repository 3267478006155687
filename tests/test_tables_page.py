"""docs/tables.md explains every column of the two tables, every status and every stop reason."""

import re
from pathlib import Path

from sweep.stopping.settings import StopRuleSettings
from sweep.store.schema import SCHEMAS, STATUSES

PAGE = (Path(__file__).parents[1] / "docs" / "tables.md").read_text()


def named(section: str) -> set[str]:
    """What stands in code style in the first cells of a section's table."""
    (text,) = re.findall(rf"^## {section}: .*?(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    rows = text.partition("| `status` | `stop_reason` |")[0].splitlines()
    return {name for row in rows if row.startswith("| `") for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_every_column_stands_there_and_no_other() -> None:
    assert {table: named(table) for table in SCHEMAS} == {table: set(SCHEMAS[table].names) for table in SCHEMAS}


def test_every_status_and_stop_reason_stands_there() -> None:
    assert set(re.findall(r"^\| ([A-Z]+) \|", PAGE, re.MULTILINE)) == set(STATUSES)
    reasons = {rule.annotation.__args__[0].reason for rule in StopRuleSettings.model_fields.values()}  # type: ignore[union-attr]
    _, _, statuses = PAGE.partition("| `status` | `stop_reason` |")
    assert statuses
    assert all(f"`{reason}`" in statuses for reason in (*reasons, "asha", "error", "worker"))
