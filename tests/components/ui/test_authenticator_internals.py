"""What streamlit-authenticator does not promise is still there."""

import bcrypt
from streamlit.testing.v1 import AppTest

from components.ui.authenticator_internals import cookie_page, matches


def test_a_password_is_checked_against_its_hash() -> None:
    hashed = bcrypt.hashpw(b"correct-horse", bcrypt.gensalt(rounds=4)).decode()
    assert matches("maya", "Maya", hashed, "correct-horse")
    assert not matches("maya", "Maya", hashed, "wrong-horse")


def test_the_page_that_writes_the_cookie_is_there() -> None:
    assert "<script" in cookie_page().read_text()


def _page() -> None:
    from datetime import UTC, datetime

    from components.ui.authenticator_internals import write_cookie

    write_cookie("numberdesk", "value", datetime(2030, 1, 1, tzinfo=UTC), "a key of at least 32 bytes, for JWT", 7)


def test_a_cookie_is_written_by_a_component() -> None:
    tab = AppTest.from_function(_page).run()
    assert not tab.exception
    assert '"value"' in tab.main[2].proto.json_args
