"""Middleware before Streamlit: security headers, who may upload, and which messages a tab may send."""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import anyio.to_thread
import streamlit as st
from sqlmodel import Session
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.ui.authenticator_internals import cookie_page
from components.ui.streamlit_internals import UPLOADS, kind_of, main_page, state_of, uploaded_bytes
from services.core.access import Permission
from services.core.errors import DatabaseUnavailable
from services.people import sign_in

_IMPORTS = (Permission.NUMBERS_ADD, Permission.HEALTH_WRITE)
_FRAMING = 64 * 1024
"""The most bytes that a multipart body has besides its file."""

_KEPT_FILES = 2
"""How many files of the largest size a tab may hold: a replaced one goes after the new one arrived."""


def _inline(*pages: Path) -> str:
    """Return the policy hashes of the inline scripts in *pages*."""
    scripts = (text for page in pages for text in re.findall(r"<script>(.*?)</script>", page.read_text(), re.DOTALL))
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts)
    return " ".join(f"'sha256-{one}'" for one in hashes)


POLICY = {
    "default-src": "'none'",
    "script-src": f"'self' 'wasm-unsafe-eval' {_inline(main_page(), cookie_page())}",  # messages are read by WASM
    "style-src": "'self' 'unsafe-inline'",  # Streamlit writes its styles into the page as it draws (1.67)
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",  # the websocket of our own origin too
    "media-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self' blob:",
    "frame-src": "'self'",  # what writes the sign-in cookie
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
"""What our pages may load: nothing from third parties. See docs/decisions."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # The sign-in cookie is written by a component in an iframe of our own origin.
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class SecurityHeaders:
    """Adds HEADERS to every HTTP response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class Messages:
    """Drops messages that Streamlit (1.67) accepts from any tab but we never need: they affect everyone or expose code.

    Any connected browser can send them, signed in or not.
    """

    REFUSED = frozenset({"clear_cache", "load_git_info", "set_run_on_save", "nonsense"})

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_others() -> Message:
            while True:
                message = await receive()
                if kind_of(message.get("bytes") or b"") not in self.REFUSED:
                    return message

        await self.app(scope, receive_others if scope["type"] == "websocket" else receive, send)


class Uploads:
    """Accepts uploads only from users who may import, and only up to the limit per tab.

    Streamlit (1.67) takes files for every session that is connected, signed in or not, and holds them in memory.
    """

    def __init__(self, app: ASGIApp, opener: Callable[[], AbstractContextManager[Session]]) -> None:
        self.app = app
        self._open_session = opener
        self._coming: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or UPLOADS not in scope["path"] or scope["method"] in ("DELETE", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        session_id = scope["path"].partition(UPLOADS)[2].partition("/")[0]
        size = Headers(scope=scope).get("content-length", "")
        refusal = await anyio.to_thread.run_sync(self._who_may_not, session_id)
        if refusal := refusal or self._how_much_not(session_id, size):
            await refusal(scope, receive, send)
            return
        with self._coming_in(session_id, int(size)):
            await self.app(scope, receive, send)

    def _who_may_not(self, session_id: str) -> JSONResponse | None:
        """Return why a session's tab may not upload: nobody is signed in, or the user may not import."""
        tab = state_of(session_id)  # as `components.ui.session` left it in the last run
        actor, signed_in = (tab["actor"], tab["signed_in"]) if "actor" in tab else (None, None)
        try:
            if actor and signed_in:
                with self._open_session() as database:
                    actor = sign_in.reload_actor(database, actor, signed_in[1])
        except DatabaseUnavailable:
            return _refusal(503, "The database is busy or cannot be reached. Try again in a moment.")
        if not actor or not signed_in:
            return _refusal(401, "Sign in first.")
        if not any(actor.may(permission) for permission in _IMPORTS):
            return _refusal(403, "Your role does not allow this. Ask an admin of the tenant.")
        return None

    def _how_much_not(self, session_id: str, size: str) -> JSONResponse | None:
        """Return why *size* bytes are too many for a tab, counting stored and pending uploads."""
        if not (size.isascii() and size.isdigit() and len(size) < 16):
            return _refusal(411, "The upload must state the file's size first.")
        largest = int(st.get_option("server.maxUploadSize")) * 2**20
        if int(size) > largest + _FRAMING:
            return _refusal(413, f"The file is too large; at most {largest // 2**20} MB can be read.")
        if int(size) + self._coming[session_id] + uploaded_bytes(session_id) > _KEPT_FILES * (largest + _FRAMING):
            return _refusal(413, "This tab holds too many files. Remove one, or reload the page.")
        return None

    @contextmanager
    def _coming_in(self, session_id: str, size: int) -> Iterator[None]:
        self._coming[session_id] += size
        try:
            yield
        finally:
            self._coming[session_id] -= size
            if not self._coming[session_id]:
                del self._coming[session_id]


def _refusal(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"detail": reason}, status_code=status)
