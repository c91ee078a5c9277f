"""What a look through a workbook finds before it is opened."""

from dataclasses import dataclass, field
from typing import ClassVar

from services.text.tables import limits
from services.text.tables.headers import letters
from services.text.tables.limits import Unreadable

_LARGEST_AREA = 12_000_000
"""Cells of the smallest rectangle around all of a sheet: the reader makes room for each."""


@dataclass
class Seen:
    """What was seen in a sheet: its reach, cells (row, column) that hold no value, with why, and cells over rows.

    `merged` are first row, column and last row. All count from 0.
    """

    NEVER_COMPUTED: ClassVar[str] = (
        "contains a formula without a computed value. Open the file in a spreadsheet, save it and upload it again."
    )

    rows: int = 0
    columns: int = 0
    wrong: dict[tuple[int, int], str] = field(default_factory=dict)
    merged: list[tuple[int, int, int]] = field(default_factory=list)

    def expect_reach(self, title: str) -> None:
        """Raise Unreadable for a sheet that reaches further than is read."""
        last = letters(self.columns - 1)
        if self.columns > limits.MOST_COLUMNS:
            raise Unreadable(
                f"The sheet {title} reaches to column {last}; at most {limits.MOST_COLUMNS} columns can be read. "
                "Delete everything outside the table."
            )
        if self.rows * self.columns > _LARGEST_AREA:
            raise Unreadable(
                f"The sheet {title} reaches to column {last} and row {self.rows:,}: more than can be read at once. "
                "Delete everything outside the table, or split the file."
            )
