"""What we use of streamlit-authenticator (0.4) beneath its documented widget: all of it stands here.

The sign-in form and the cookie's content are ours; the library checks the password and writes the cookie. When it is
imported, it declares a component to the server, so it is imported in a run of a page: at start-up there is none yet.
"""

from datetime import datetime
from importlib.util import find_spec
from pathlib import Path


def matches(username: str, name: str, hashed: str, password: str) -> bool:
    """Return whether *password* is the one behind a bcrypt hash."""
    from streamlit_authenticator.controllers import AuthenticationController

    # The library is given this one user only: it copies and looks through all that it is given.
    known = {username: {"name": name, "password": hashed}}
    return bool(AuthenticationController({"usernames": known}, auto_hash=False).login(username, password))


def write_cookie(cookie: str, value: str, ends: datetime, key: str, days: float) -> None:
    """Draw the component that writes a cookie in the browser; one that has ended is removed."""
    from streamlit_authenticator.controllers import CookieController

    browser = CookieController(cookie, key, days).cookie_model.cookie_manager
    browser.set(cookie, value, expires_at=ends)


def cookie_page() -> Path:
    """Return the page in an iframe that writes the cookie."""
    found = find_spec("extra_streamlit_components")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "CookieManager" / "frontend" / "build" / "index.html"
