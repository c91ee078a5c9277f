"""Bringing in campaign health: by file, by a program, or out of a call log."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import streamlit as st

from components.jobs.imports import Importing
from components.ui import navigation
from components.ui.streamlit_internals import TabContainer
from services.core.access import Actor, Permission
from services.health import api
from services.health.health_import import HealthImport
from services.jobs.imports import Row
from services.text import days
from services.text.days import DayOrder

_ORDERS = {DayOrder.DAY_FIRST: "Day first: 31.05.2026, 31/05/2026", DayOrder.MONTH_FIRST: "Month first: 05/31/2026"}
_CURL = """curl -X POST {address}/api/v1/campaign-health \\
  -H "Authorization: Bearer $NUMBERDESK_API_KEY" -H "Content-Type: application/json" \\
  -d '{{"rows": [{{"campaign": "Spring renewals", "number": "+14155552671", "day": "2026-03-09",
                "attempts": 41, "answered": 12}}]}}'"""


def ways() -> Sequence[TabContainer]:
    """Draw the ways in which health comes in as tabs; the address holds which is open."""
    return st.tabs(["File", "HTTP API", "Twilio call log"], key="health_from", bind="query-params")


def by_program(actor: Actor) -> None:
    """Draw how a program sends health."""
    st.markdown(
        f"Your dialer can send daily facts itself, up to {api.MOST_ROWS:,} rows at once, with an API key of the "
        "tenant. A row replaces what its campaign, number and day had, so sending twice changes nothing. See the "
        "[OpenAPI document](/api/v1/openapi.json)."
    )
    address = urlsplit(st.context.url or "https://numberdesk.example.com")
    st.code(_CURL.format(address=f"{address.scheme}://{address.netloc}"), language="bash", wrap_lines=True)
    if actor.may(Permission.API_KEYS_WRITE):
        navigation.link(navigation.SETTINGS, label="API keys", icon=":material/key:")
    else:
        st.caption("An admin of the tenant creates the keys.")


@dataclass(frozen=True)
class ImportingHealth(Importing):
    """Imports of campaign health."""

    kind = HealthImport
    place = "health"

    def explain(self) -> None:
        """Draw what a file holds."""
        st.caption(
            "One row per campaign, number and day. Required: campaign, number, day, attempts, answered. Optional: "
            "completed, short calls, failed, spam reports. A row replaces what its campaign, number and day had."
        )

    def options(self, rows: Sequence[Row]) -> HealthImport:
        """Draw what comes first in days of which that must be said; nothing is chosen for the reader."""
        if not days.has_order({day for row in rows if isinstance(day := row.get("day"), str)}):
            return HealthImport()
        return HealthImport(self.choice("Day order", _ORDERS, "day_order", "Which comes first, day or month?"))
