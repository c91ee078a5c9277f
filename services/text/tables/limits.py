"""How large a file may be, what its reader may use, and what is said of a larger one."""

import contextlib
import os
import sys

if sys.platform != "win32":
    import resource

LARGEST = 50 * 2**20
"""Bytes of the largest file that is read."""

MOST_ROWS = 300_000
MOST_COLUMNS = 500
MOST_CELLS = 3_000_000
MOST_SHEETS = 50
MOST_CHARACTERS = 64 * 2**20
"""Characters of all cells together; a workbook can name one long text in each of its cells."""

LONGEST_CELL = 32_767
"""Characters of one cell: Excel holds no more."""

UNPACKED = 250 * 2**20
"""Bytes of a workbook's tables and texts once they are unpacked."""

MEMORY = 2**30
"""Bytes of address space of the process that reads a file."""

CPU_SECONDS = 30


class Unreadable(Exception):
    """A file that is not read; the message says why, for the reader."""


def confine() -> None:
    """Hold this process to MEMORY and CPU_SECONDS, as far as the system does; it writes no file and no core."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(5)  # whoever clicks comes first
    if sys.platform == "win32":
        return
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY),  # macOS takes it and does not hold to it
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (limit, limit))


def expect_size(rows: int, columns: int, what: str = "The table") -> None:
    """Raise Unreadable for more rows, columns or cells than are read."""
    if columns > MOST_COLUMNS:
        raise Unreadable(f"{what} has {columns:,} columns; at most {MOST_COLUMNS} can be read.")
    if rows > MOST_ROWS:
        raise Unreadable(f"{what} has {rows:,} rows; at most {MOST_ROWS:,} can be read at once. Split the file.")
    if rows * columns > MOST_CELLS:
        raise Unreadable(
            f"{what} has {rows:,} rows of {columns:,} columns; at most {MOST_CELLS:,} cells can be read at once. "
            "Split the file, or remove columns."
        )
