"""A browser tab without a browser: the frame, run by AppTest, and how a reader finds things in it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

PAGES = Path(__file__).parents[2] / "pages"
TEXTS = ("title", "subheader", "markdown", "caption", "code", "error", "warning", "info", "success", "toast")


def signed_out() -> AppTest:
    """Return a tab that shows the sign-in form."""
    return AppTest.from_file(PAGES / "frame.py", default_timeout=20).run()


def signed_in(username: str, works_in: int | None = None, **query: Any) -> AppTest:
    """Return a tab that shows the list, with *query* in its address, to *username* in the tenant *works_in*.

    It holds what a sent sign-in form leaves behind (`components.ui.session.check_sign_in`): the form
    itself is tested where it matters, and its bcrypt check would cost every test a third of a second.
    """
    tab = AppTest.from_file(PAGES / "frame.py", default_timeout=20)
    tab.session_state["signed_in"] = (username, datetime.now(UTC))
    if works_in is not None:
        tab.session_state["tenant_choice"] = works_in
    tab.query_params.update(query)
    return tab.run()


def visit(tab: AppTest, page: str, **query: Any) -> AppTest:
    """Open *page* (a file of `pages/`) with *query* in the address, as a followed link does."""
    tab.query_params.clear()
    tab.query_params.update(query)
    return tab.switch_page(page).run()


def fill_sign_in(tab: AppTest, username: str, password: str) -> AppTest:
    """Send the sign-in form."""
    tab.text_input(key="sign_in_username").set_value(username)
    tab.text_input(key="sign_in_password").set_value(password)
    return press(tab, "Sign in")


def press(tab: AppTest, label: str) -> AppTest:
    """Press the one button that says *label*."""
    (button,) = [button for button in tab.button if button.label == label]
    return button.click().run()


def save(tab: AppTest, form: str) -> AppTest:
    """Press `Save` in a section of a number's page."""
    return tab.button(key=f"FormSubmitter:{form}-Save").click().run()


def buttons(tab: AppTest) -> list[str]:
    """Return what the buttons say."""
    return [button.label for button in tab.button]


def links(tab: AppTest) -> list[str]:
    """Return what the links to other pages say, without those of the menu."""
    return [link.value for link in tab.main.get("page_link")]


def texts(tab: AppTest, *kinds: str) -> list[str]:
    """Return what can be read in the tab, of the given kinds of element or of all."""
    return [str(element.value) for kind in kinds or TEXTS for element in tab.get(kind)]


def title(tab: AppTest) -> str:
    """Return the header of the page."""
    return str(tab.title[0].value)


def listed(tab: AppTest, column: str = "number") -> list[str]:
    """Return a column of the table in the tab."""
    return list(tab.dataframe[0].value[column])


def table(tab: AppTest, key: str) -> Any:
    """Return the table whose key begins with *key*."""
    (found,) = [table for table in tab.dataframe if (table.key or "").startswith(key)]
    return found


def tick(tab: AppTest, key: str, *rows: int) -> AppTest:
    """Tick exactly these lines of the table whose key begins with *key*."""
    tab.session_state[table(tab, key).key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return tab.run()
