"""Bringing in campaign health: the ways to do so, and by file, with an outcome for each row that is refused."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st
from sqlmodel import Session
from streamlit.elements.lib.mutable_tab_container import TabContainer

from components import files as draw_files
from components import navigation
from components.page import errors_shown
from services import files, health_api, health_files, health_import, words
from services.access import Actor, Permission
from services.health_import import Given, Problem

_DAYS = {"%Y-%m-%d": "2026-05-31", "%d.%m.%Y": "31.05.2026", "%d/%m/%Y": "31/05/2026", "%m/%d/%Y": "05/31/2026"}
_SHOWN = 200
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
        f"Your dialer can send daily facts itself, up to {health_api.MOST_ROWS:,} rows at once, with an API key of the "
        "tenant. A row replaces what its campaign, number and day had, so sending twice changes nothing. Everything "
        "else stands in the [OpenAPI document](/api/v1/openapi.json)."
    )
    address = urlsplit(st.context.url or "https://numberdesk.example.com")
    st.code(_CURL.format(address=f"{address.scheme}://{address.netloc}"), language="bash", wrap_lines=True)
    if actor.may(Permission.API_KEYS_WRITE):
        st.page_link(navigation.SETTINGS, label="API keys", icon=":material/key:")
    else:
        st.caption("An admin of the tenant makes the keys.")


@dataclass(frozen=True)
class Importing:
    """Imports as *actor*. *opener* opens the session in which rows are checked and written."""

    actor: Actor
    opener: Callable[[], AbstractContextManager[Session]]

    def draw(self) -> None:
        """Draw the way from a file to its outcome."""
        file = st.file_uploader("CSV or Excel file", type=["csv", "txt", "xlsx", "xls"], key="health_file")
        st.caption(
            "One row for each campaign, number and day: campaign, number, day, attempts, answered, and where known "
            "completed, short calls, failed, spam reports. A row replaces what its campaign, number and day had."
        )
        if file is None:
            return
        with errors_shown():
            frame = files.read(file.name, file.getvalue())
            matched = draw_files.columns(frame, health_files.NAMES, health_files.REQUIRED, "health")
            day_format = st.selectbox(
                "Days that are texts look like", list(_DAYS), format_func=lambda key: _DAYS[key], key="health_days_as"
            )
            given = health_files.rows(frame, matched)
            with st.container(horizontal=True):
                checked = st.button("Check", icon=":material/fact_check:")
                wanted = st.button(f"Import {words.amount(len(given), 'row')}", type="primary")
                good_only = st.button("Import the good rows only")
            if checked:
                self._check(given, day_format)
            elif wanted or good_only:
                self._save(given, day_format, file.name, keep_good=good_only)

    def _check(self, given: Sequence[Given], day_format: str) -> None:
        bar = st.progress(0.0, text="Checking…")
        with self.opener() as session:
            found = health_import.check(
                session, self.actor, given, day_format=day_format, progress=lambda done: bar.progress(done)
            )
        bar.empty()
        good, bad = words.amount(len(found.facts), "row"), words.amount(len(found.problems), "problem")
        (st.warning if found.problems else st.success)(f"{good} can be imported; {bad}. Nothing was written.")
        _problems(found.problems)

    def _save(self, given: Sequence[Given], day_format: str, name: str, *, keep_good: bool) -> None:
        bar = st.progress(0.0, text="Importing…")
        try:
            with self.opener() as session:
                saved = health_import.save(
                    session,
                    self.actor,
                    given,
                    source=name,
                    keep_good=keep_good,
                    day_format=day_format,
                    progress=lambda done: bar.progress(done),
                )
        except health_import.Refused as exc:
            bar.empty()
            st.error(str(exc), icon=":material/error:")
            _problems(exc.problems)
            return
        bar.empty()
        st.cache_data.clear()
        st.success(
            f"{saved.added:,} new, {saved.replaced:,} replaced, {words.amount(len(saved.problems), 'row')} refused."
            + (
                f" {words.amount(len(saved.not_in_pool), 'row')} of numbers that are not in the pool of the campaign."
                if saved.not_in_pool
                else ""
            ),
            icon=":material/check_circle:",
        )
        _problems(saved.problems)


def _problems(found: Sequence[Problem]) -> None:
    if not found:
        return
    frame = pd.DataFrame([(p.row, p.field, p.message) for p in found[:_SHOWN]], columns=["Row", "Field", "Why"])
    st.dataframe(frame, hide_index=True, alt="Rows that were refused")
    if len(found) > _SHOWN:
        st.caption(f"The first {_SHOWN} of {len(found):,}.")
