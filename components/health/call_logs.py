"""Call logs as a source of campaign health: how far each was read, reading on, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from components.ui import cache, navigation, notices
from components.ui.markdown import plain
from components.ui.page import empty_state, errors_shown, exactly, when
from components.ui.sections import Opener
from db.health.call_logs import Counts
from services.core.access import Actor, Permission
from services.health import call_logs
from services.health.call_logs import CallLog, State
from services.jobs import workflows
from services.text.labels import amount

_WHY_NOT = {
    "inbound": "inbound: only calls that a campaign dials are attempts",
    "not_dialed": "canceled, or never dialed",
    "not_on_record": "from numbers that are not in Numberdesk",
    "in_no_pool": "from numbers in no campaign's pool",
    "in_several_pools": "from numbers in several pools: the log does not say which campaign called",
}


@dataclass(frozen=True)
class CallLogs:
    """Reads call logs as *actor*. *opener* opens the session in which a click writes."""

    actor: Actor
    zone: ZoneInfo
    opener: Opener

    def draw(self, logs: Sequence[CallLog]) -> None:
        """Draw a card for each log."""
        if not logs:
            self._none()
            return
        st.caption(
            f"Reads each finished day, in the tenant's time zone ({plain(logs[0].time_zone)}), into daily facts. A "
            f"call belongs to the campaign whose pool has its number. The log does not say who answered, so answered "
            f"includes machines; days that your dialer or a file has reported are kept. After the first read it "
            f"continues daily."
        )
        for log in sorted(logs, key=lambda log: not log.is_active):
            with st.container(border=True):
                self._card(log)

    def _none(self) -> None:
        with empty_state("No Twilio connection yet: there is no call log to read.", "history"):
            if self.actor.may(Permission.CONNECTIONS_WRITE):
                navigation.link(navigation.CONNECTIONS, label="Telephony connections", icon=":material/cable:")
            else:
                st.caption("An admin can add one.")

    def _card(self, log: CallLog) -> None:
        with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
            with st.container(gap=None, width="content"):
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    st.markdown(f"**{plain(log.connection)}**", width="content")
                    if not log.is_active:
                        st.badge("Inactive", color="gray")
                if log.state is not State.RUNNING:
                    st.caption(_how_far(log))
            if log.is_active and log.days_left and log.state is not State.RUNNING:
                self._begin(log)
        notices.show_kept(_place(log))
        if log.state is State.RUNNING:
            self._watch(log.connection_id)
            return
        if log.problem:
            notices.warning(plain(log.problem), icon="error")
        if log.started_at:
            self._result(log)

    def _begin(self, log: CallLog) -> None:
        """Draw what starts a job: for a log that was never read with the first day to read."""
        with st.container(horizontal=True, vertical_alignment="bottom", width="content"):
            first_day: date | None = None
            if log.read_until is None:
                earliest = log.last_day - timedelta(days=call_logs.MOST_DAYS - 1)
                first_day = st.date_input(
                    "From",
                    max(earliest, log.first_day),
                    min_value=earliest,
                    max_value=log.last_day,
                    format="YYYY-MM-DD",
                    key=f"call_log_from_{log.connection_id}",
                    width=150,
                )
            st.button(
                "Continue" if log.state is State.STOPPED else "Read call log",
                icon=":material/play_arrow:" if log.state is State.STOPPED else ":material/history:",
                type="primary",
                key=f"call_log_read_{log.connection_id}",
                on_click=lambda: self._read(log, first_day),
            )

    def _read(self, log: CallLog, first_day: date | None) -> None:
        def act() -> str:
            with self.opener() as session:
                call_logs.begin(session, self.actor, log.connection_id, first_day=first_day)
            workflows.begin()
            return ""

        notices.outcome(act, _place(log))

    def _watch(self, connection_id: int) -> None:
        """Draw how far a job is, again and again until it ends."""

        @st.fragment(run_every="1s")
        def watch() -> None:
            with errors_shown(), self.opener() as session:
                log = call_logs.get(session, self.actor, connection_id)
                if log.state is not State.RUNNING:
                    cache.forget()
                    st.rerun()
                done, all_days = log.counts.days, log.counts.days + log.days_left
                read = f"{done:,} of {amount(all_days, 'day')}, {amount(log.counts.calls, 'call')}"
                st.progress(done / max(1, all_days), text="Waiting for its turn" if log.waits else f"Reading… {read}")
                st.caption(f"{_who(log)} started {when(log.started_at, self.zone)}. You can leave this page.")
                _job(log)

        watch()

    def _result(self, log: CallLog) -> None:
        counts, at = log.counts, log.ended_at or log.started_at
        if counts.days:
            existing = f"; {counts.kept:,} already existed and were kept" if counts.kept else ""
            st.markdown(
                f"{amount(counts.days, 'day')} with {amount(counts.calls, 'call')} read: "
                f"**{amount(counts.added, 'daily fact')}** added{existing}."
            )
        st.caption(f"{_who(log)}, {when(at, self.zone)}", help=exactly(at, self.zone))
        _job(log)
        _not_counted(counts)


def _job(log: CallLog) -> None:
    """Lead to the job that reads the log, or has read it: with each day, and the way to cancel it."""
    if log.job_id:
        query = navigation.job_query(log.job_id)
        navigation.link(navigation.JOBS, label="Open job", icon=":material/checklist:", query_params=query)


def _not_counted(counts: Counts) -> None:
    calls = {why: getattr(counts, why) for why in _WHY_NOT}
    total = sum(calls.values())
    if total:
        with st.expander(f"{amount(total, 'call')} in no campaign"):
            st.markdown("\n".join(f"- **{n:,}** {_WHY_NOT[why]}" for why, n in calls.items() if n))


def _how_far(log: CallLog) -> str:
    if not log.is_active and log.read_until is None:
        return "Not read yet. An inactive connection is not read."
    if log.read_until is None:
        return "Not read yet."
    until = f"Read from {log.first_day:%-d %b %Y} until {log.read_until:%-d %b %Y}"
    if not log.is_active:
        return f"{until}. An inactive connection is not read any further."
    if not log.days_left:
        return f"{until}: up to date. Today can be read when it is over."
    return f"{until}; {amount(log.days_left, 'day')} to read."


def _who(log: CallLog) -> str:
    return plain(log.started_by) if log.started_by else "The daily run"


def _place(log: CallLog) -> str:
    return f"call_log_{log.connection_id}"
