"""Who is signed in in this browser tab. The only module that reads or writes sign-in state."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import jwt
import streamlit as st
from sqlmodel import Session

from components.ui import authenticator_internals, cache, notices
from services.core import credentials, settings, validation
from services.core.access import Actor, Permission
from services.core.errors import DatabaseUnavailable, Forbidden, NotFound, ServiceError
from services.core.transactions import has_written
from services.people import sign_in

COOKIE = "numberdesk"
TENANT = "tenant"
"""The query parameter that names the tenant."""

_ALL = "all"
_NO_TENANT = -1
_COOKIE_SETTLES = timedelta(seconds=20)


def current_actor() -> Actor:
    """Return the signed-in user, as the frame loaded it in this run."""
    actor: Actor = st.session_state["actor"]
    return actor


def load(session: Session) -> Actor | None:
    """Load the user behind this tab's sign-in or cookie; None when there is no valid one."""
    state = st.session_state
    if "signed_in" not in state and not state.get("signed_out"):
        state["signed_in"] = read_token(st.context.cookies.get(COOKIE) or "")
    known = state.get("signed_in")
    first = "tenant_choice" not in state
    actor = sign_in.load_actor(session, known[0], known[1], tenant_now(), first=first) if known else None
    if known and actor is None:
        state["signed_in"] = None
        state["signed_out"] = True
        state["sign_in_notice"] = "You have been signed out. Sign in again to continue."
    _note_loss(state.get("actor"), actor)
    if actor is not None:
        _stay(actor)
    state["actor"] = actor
    return actor


def reloader() -> Callable[[Session], Actor]:
    """Return a function that reloads this run's user later, outside of any run.

    Callbacks that run later, such as downloads, must check access again.
    """
    (_, since), actor = st.session_state["signed_in"], current_actor()

    def reload(session: Session) -> Actor:
        fresh = sign_in.reload_actor(session, actor, since)
        if fresh is None:
            raise Forbidden("You have been signed out.")
        return fresh

    return reload


def rechecked(opener: Callable[[], AbstractContextManager[Session]]) -> Callable[[], AbstractContextManager[Session]]:
    """Return *opener* for the clicks to come: a session that it opens has asked again who may.

    Streamlit runs a click before the page loads its user anew. Raises Forbidden when the user is no
    longer who the page was shown to, or the tab has gone to another tenant than the page was drawn for. What it writes
    is read anew.
    """
    actor, reload, drawn_for = current_actor(), reloader(), tenant_now()

    @contextmanager
    def open_again() -> Iterator[Session]:
        if tenant_now() != drawn_for:
            raise Forbidden("This tab has switched to another tenant since this page was loaded. Nothing was saved.")
        with opener() as session:
            if reload(session) != actor:
                raise Forbidden("Your access has changed since this page was loaded. Nothing was saved.")
            try:
                yield session
            finally:
                if has_written(session):
                    cache.forget()

    return open_again


def check_sign_in(opener: Callable[[], AbstractContextManager[Session]], username: str, password: str) -> None:
    """Sign in with what was typed, or keep the reason why not for the form."""
    st.session_state["sign_in_notice"] = None
    if not username.strip() or not password:
        st.session_state["sign_in_notice"] = "Enter your user name and password."
        return
    try:
        with opener() as session:
            _check(session, username, password)
    except DatabaseUnavailable:
        st.session_state["sign_in_notice"] = "The database is busy or cannot be reached. Try again in a moment."
    except ServiceError as exc:
        st.session_state["sign_in_notice"] = str(exc)


def _check(session: Session, username: str, password: str) -> None:
    state = st.session_state
    candidate = sign_in.attempt(session, username)
    text, hashed = sign_in.to_check(password, candidate.password_hash)
    if authenticator_internals.matches(candidate.username, candidate.name, hashed, text):
        sign_in.succeeded(session, candidate.username)
        now = datetime.now(UTC)
        state.update(signed_in=(candidate.username, now), signed_out=False, cookie_since=now)
        state.pop("tenant_choice", None)
    else:
        state["sign_in_notice"] = "User name or password is wrong."


def renew() -> None:
    """Keep this tab signed in after all earlier sessions were ended."""
    username, _ = st.session_state["signed_in"]
    now = datetime.now(UTC)
    st.session_state.update(signed_in=(username, now), cookie_since=now)


def sign_out() -> None:
    """Forget the sign-in in this tab; the cookie goes with the next drawing."""
    forget_why_out()
    st.session_state.update(signed_in=None, signed_out=True, cookie_since=datetime.now(UTC))
    st.session_state.pop("tenant_choice", None)


def write_cookie() -> None:
    """Draw the component that writes, or after signing out removes, the cookie of this browser.

    It runs in the browser, so it stays for a while: a rerun that comes too soon would drop it.
    """
    since = st.session_state.get("cookie_since")
    if since is None or datetime.now(UTC) - since > _COOKIE_SETTLES:
        return
    config = settings.current()
    if known := st.session_state.get("signed_in"):
        ends = since + timedelta(days=config.cookie_days)
        value = make_token(known[0], known[1], ends)
    else:
        value, ends = "", datetime.now(UTC) - timedelta(days=1)
    with st.container(height=1, border=False, key="cookie"):
        authenticator_internals.write_cookie(COOKIE, value, ends, credentials.cookie_key(config), config.cookie_days)


def choose_tenant(session: Session, tenant_id: int | None) -> None:
    """Work in another tenant (ALL_TENANTS for all) in this tab from the next run on, and in tabs to come."""
    state = st.session_state
    state.update(tenant_choice=tenant_id, tenant_was_chosen=True)
    if tenant_id is None:
        st.query_params.pop(TENANT, None)
    else:
        st.query_params[TENANT] = tenant_word(tenant_id)
    forget_why_out()
    sign_in.choose_tenant(session, current_actor(), tenant_id)


def tenant_was_chosen() -> bool:
    """Return, once, whether the tenant was just switched: the page still shows the previous one."""
    return bool(st.session_state.pop("tenant_was_chosen", False))


def tenant_now() -> int | None:
    """Return the tenant of this tab: the one in its address, else the one that it was in; None for none."""
    linked = st.query_params.get(TENANT)
    if not linked:
        choice: int | None = st.session_state.get("tenant_choice")
        return choice
    if linked == _ALL:
        return sign_in.ALL_TENANTS
    try:
        return validation.as_id(linked)
    except NotFound:
        return _NO_TENANT


def tenant_word(tenant_id: int) -> str:
    """Return how an address names a tenant, or all of them."""
    return _ALL if tenant_id == sign_in.ALL_TENANTS else str(tenant_id)


def in_tenant(query: Mapping[str, str | list[str]] | None = None) -> dict[str, str | list[str]]:
    """Return *query* with the tenant of this tab, which every address in it carries where one can choose."""
    found = {**(query or {})}
    actor: Actor | None = st.session_state.get("actor")
    if TENANT not in found and actor is not None and actor.may_choose_tenants:
        choice = st.session_state.get("tenant_choice")
        if choice is not None:
            found[TENANT] = tenant_word(choice)
    return found


def say_tenant() -> None:
    """Put the tenant of this tab into its address, where one can choose and the address does not say it yet.

    Links of ours say it. Call it once the page is known: before, it would go to the address of the page that is left.
    """
    wanted = in_tenant().get(TENANT)
    if wanted and st.query_params.get(TENANT) != wanted:
        st.query_params[TENANT] = wanted


def is_elsewhere() -> bool:
    """Return whether the address names a tenant that is not there for the reader."""
    return bool(st.query_params.get(TENANT)) and not current_actor().has_scope


def why_out() -> str:
    """Return why this tab is no longer in the tenant that it showed, until that is `forget_why_out`."""
    _, reason = st.session_state.get("why_out", (None, ""))
    return str(reason)


def forget_why_out() -> None:
    """Dismiss the reason why the tab has left its tenant."""
    st.session_state.pop("why_out", None)


def enter(page: str) -> None:
    """Record which page this run shows and whether it was just entered."""
    st.session_state["entered_page"] = st.session_state.get("page_shown") not in (None, page)
    st.session_state["page_shown"] = page


def reader_zone() -> ZoneInfo:
    """Return the time zone of the reader's browser; UTC when it does not say."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError):
        return ZoneInfo("UTC")


def _note_loss(before: Actor | None, now: Actor | None) -> None:
    """Keep the reason when the user was put out of the tenant that the tab showed; drop it when let in again."""
    state = st.session_state
    if not before or not now:
        return
    if now.tenant_id and state.get("why_out", (None,))[0] == now.tenant_id:
        forget_why_out()
    reason = sign_in.why_out(before, now)
    if reason:
        # What the click was to do has been refused, with a notice for a page that is not drawn any more.
        refused = notices.drop_errors()
        state["why_out"] = before.tenant_id, f"{reason} Nothing was saved." if refused else reason


def _stay(actor: Actor) -> None:
    """Keep the tab in the tenant that it is in now, whatever is chosen in others."""
    state = st.session_state
    if actor.has_scope:
        state["tenant_choice"] = actor.tenant_id or sign_in.ALL_TENANTS
    elif st.query_params.get(TENANT) or state.get("tenant_choice") is not None:
        state.pop("tenant_choice", None)
    else:
        state["tenant_choice"] = None


def read_token(token: str) -> tuple[str, datetime] | None:
    """Return who signed in and when, out of a cookie; None for one that is not ours or has ended."""
    config = settings.current()
    try:
        claims = jwt.decode(token, credentials.cookie_key(config), algorithms=["HS256"])
        since, ends = (datetime.fromtimestamp(float(claims[name]), UTC) for name in ("issued_at", "exp_date"))
        username = str(claims["username"])
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError):
        return None
    if min(ends, since + timedelta(days=config.cookie_days)) <= datetime.now(UTC):
        return None
    return username, since


def make_token(username: str, since: datetime, ends: datetime) -> str:
    """Return what the cookie holds: who signed in and when, so that no setting changes what was revoked."""
    claims = {"username": username, "issued_at": since.timestamp(), "exp_date": ends.timestamp()}
    return jwt.encode(claims, credentials.cookie_key(settings.current()), algorithm="HS256")


@cache.kept(Permission.TENANTS_READ_ALL, seconds=30)
def _every_tenant(session: Session, actor: Actor) -> list[tuple[int, str]]:
    return [(tenant_id, name) for tenant_id, name, _ in sign_in.all_workspaces(session, actor)]


def tenants(session: Session, actor: Actor) -> list[tuple[int, str]]:
    """Return id and name of the tenants that the user may choose."""
    if actor.is_superadmin:
        return _every_tenant(session, actor)
    return [(workspace.id, workspace.name) for workspace in actor.workspaces]
