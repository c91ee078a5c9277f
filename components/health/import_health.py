"""Bringing in campaign health: the ways to do so, and by file, with an outcome for each row that is refused."""

from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st
from sqlmodel import Session
from streamlit.elements.lib.mutable_tab_container import TabContainer
from streamlit.runtime.uploaded_file_manager import UploadedFile

from components.ui import file_imports, navigation
from components.ui import files as draw_files
from components.ui.file_imports import Act, Drawing, Tray
from components.ui.markdown import plain
from components.ui.page import errors_shown
from services.core.access import Actor, Permission
from services.health import api, health_import, import_files
from services.health.health_import import Given, Problem, Saved
from services.text import days, labels
from services.text.days import DayOrder

_ORDERS = {DayOrder.DAY_FIRST: "Day first: 31.05.2026, 31/05/2026", DayOrder.MONTH_FIRST: "Month first: 05/31/2026"}
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
class Importing:
    """Imports as *actor*. *opener* opens the session in which rows are checked and written."""

    actor: Actor
    opener: Callable[[], AbstractContextManager[Session]]

    def draw(self) -> None:
        """Draw the way from a file to its outcome."""
        tray = file_imports.tray("health", self.actor)
        file = st.file_uploader("CSV or Excel file", type=draw_files.KINDS, key="health_file")
        st.caption(
            "One row per campaign, number and day. Required: campaign, number, day, attempts, answered. Optional: "
            "completed, short calls, failed, spam reports. A row replaces what its campaign, number and day had."
        )
        shown: Hashable = None
        if file is None:
            tray.empty()
        else:
            with errors_shown():
                shown = self._file(tray, file)
        tray.tell(shown)

    def _file(self, tray: Tray, file: UploadedFile) -> Hashable:
        """Draw a file and what can be done with it, and do what was asked; return all that it depends on."""
        sheet = draw_files.sheet(tray, file, import_files.NAMES, "health")
        matched = draw_files.columns(sheet, import_files.NAMES, import_files.REQUIRED, "health")
        read_as = (tray.read_as, *matched.items())
        given = tray.once("rows", read_as, lambda: import_files.rows(sheet, matched))
        asks = tray.once(
            "days", read_as, lambda: days.has_order({row.day for row in given if isinstance(row.day, str)})
        )
        order = _day_order() if asks else None
        shown = (*read_as, order)
        draw_files.buttons(tray, shown, len(given))
        act = tray.wanted(shown)
        if act is Act.CHECK:
            bar = st.progress(0.0, text="Checking…")
            tray.do(lambda: self._check(given, order, lambda done: bar.progress(done)), shown)
            bar.empty()
        elif act:
            with st.spinner("Importing…", show_time=True):
                tray.do(
                    lambda: self._save(given, order, file.name, keep_good=act is Act.GOOD_ONLY),
                    shown,
                    writes=True,
                    refused=_refused,
                )
        return shown

    def _check(self, given: Sequence[Given], order: DayOrder | None, progress: Callable[[float], object]) -> Drawing:
        with self.opener() as session:
            found = health_import.check(session, self.actor, given, order=order, progress=progress)

        def told() -> None:
            good, bad = labels.amount(len(found.facts), "row"), labels.amount(len(found.problems), "problem")
            (st.warning if found.problems else st.success)(f"{good} can be imported; {bad}. Nothing was written.")
            _problems(found.problems)

        return told

    def _save(self, given: Sequence[Given], order: DayOrder | None, name: str, *, keep_good: bool) -> Drawing:
        """Import, drawing nothing: a click that ends this run ends it before or after."""
        with self.opener() as session:
            saved = health_import.save(session, self.actor, given, source=name, keep_good=keep_good, order=order)
        st.cache_data.clear()
        return lambda: _imported(name, saved)


def _refused(refusal: Exception) -> None:
    if not isinstance(refusal, health_import.Refused):
        raise refusal
    st.error(plain(str(refusal)), icon=":material/error:")
    _problems(refusal.problems)


def _imported(name: str, saved: Saved) -> None:
    st.success(
        f"{plain(name)}: {saved.added:,} new, {saved.replaced:,} replaced, "
        f"{labels.amount(len(saved.problems), 'row')} refused."
        + (
            f" Not in the pool of their campaign: {labels.amount(len(saved.not_in_pool), 'row')}."
            if saved.not_in_pool
            else ""
        ),
        icon=":material/check_circle:",
    )
    _problems(saved.problems)


def _day_order() -> DayOrder | None:
    """Draw the choice of what comes first in the days of a file; nothing is chosen for the reader."""
    order: DayOrder | None = st.selectbox(
        "Day order",
        list(_ORDERS),
        format_func=lambda key: _ORDERS[key],
        index=None,
        placeholder="Which comes first, day or month?",
        key="health_day_order",
        width=460,
    )
    return order


def _problems(found: Sequence[Problem]) -> None:
    if not found:
        return
    frame = pd.DataFrame([(p.row, p.field, p.message) for p in found[:_SHOWN]], columns=["Row", "Field", "Why"])
    st.dataframe(frame, hide_index=True, alt="Rows that were refused")
    if len(found) > _SHOWN:
        st.caption(f"The first {_SHOWN} of {len(found):,}.")
