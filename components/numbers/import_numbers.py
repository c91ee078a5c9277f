"""Bringing numbers in by the file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from components.jobs.imports import Importing
from components.numbers import number_fields
from services.connections.connections import ConnectionRow
from services.jobs.imports import Row
from services.numbers.number_import import NumberImport
from services.text.numbering import Bare

_BARE = {
    Bare.NATIONAL: "National numbers of the connection's country",
    Bare.INTERNATIONAL: "International numbers that lost their + in a spreadsheet",
}


@dataclass(frozen=True)
class ImportingNumbers(Importing):
    """Imports of numbers; *connections* are the active ones."""

    kind = NumberImport
    place = "numbers"
    connections: Sequence[ConnectionRow]

    def explain(self) -> None:
        """Draw what a file holds."""
        st.caption(
            f"One row per number, up to {NumberImport.most_rows:,}. Required: number, connection. Optional: label, "
            "agent, countries, tags, notes, provider fields. A download of the list works too."
        )

    def options(self, rows: Sequence[Row]) -> NumberImport:
        """Draw the default connection, and how numbers are read that can be doubted."""
        names = number_fields.connection_names(self.connections)
        none = "None (rows without a connection are refused)" if names else "No active connection"
        connection_id = self.choice("Default connection", names, "connection", none)
        bare = self.choice("Ambiguous numbers without +", _BARE, "bare", "Not sure (such rows need review)")
        insist = st.checkbox("Allow numbers outside known numbering plans", key="numbers_insist")
        update = st.checkbox(
            "Update numbers that are on record",
            key="numbers_update",
            help="Label, agent, countries and tags, where the file has a column for them; an empty cell empties them.",
        )
        return NumberImport(connection_id, insist, bare, update)

    def examples(self) -> Mapping[str, str]:
        """Return a connection that there is."""
        return {"connection": self.connections[0].name} if self.connections else {}
