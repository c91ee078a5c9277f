"""A browser tab without a browser: the frame, run by AppTest, and how a reader finds things in it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

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


def elements(part: AppTest | Block, kind: str) -> list[Any]:
    """Return the elements of a *kind* in the tab or in a part of it, which Streamlit declares as anything there is."""
    return list(part.get(kind))


def links(tab: AppTest) -> list[str]:
    """Return what the links to other pages say, without those of the menu."""
    return [link.value for link in elements(tab.main, "page_link")]


def texts(tab: AppTest, *kinds: str) -> list[str]:
    """Return what can be read in the tab, of the given kinds of element or of all."""
    return [str(element.value) for kind in kinds or TEXTS for element in elements(tab, kind)]


def job_of(tab: AppTest) -> int:
    """Return the id of the job whose page is in the tab."""
    return int("".join(tab.query_params["job"]))


def title(tab: AppTest) -> str:
    """Return the header of the page."""
    return str(tab.title[0].value)


class Listing:
    """The table of a list, as its browser is told of it: the cells of each column, and the addresses in it."""

    def __init__(self, proto: Any) -> None:
        told = json.loads(proto.json)
        self.id, self.name, self.ids = proto.id, told["name"], told["ids"]
        self.selected: list[Any] | None = told.get("ticked")
        self.turn: int = told.get("turn", 0)
        self.columns = {column["key"]: column["cells"] for column in told["columns"]}
        self.sorts = {column["key"]: column["sort"] for column in told["columns"] if "sort" in column}
        self.addresses = {
            column["key"]: [column["base"] + rest for rest in column["hrefs"] if rest is not None]
            for column in told["columns"]
            if "hrefs" in column
        }


def listings(tab: AppTest) -> list[Listing]:
    """Return the lists in the tab."""
    return [Listing(found.proto) for found in elements(tab, "bidi_component")]


def tables(tab: AppTest) -> list[Any]:
    """Return all tables in the tab: lists and grids."""
    return [*listings(tab), *tab.dataframe]


def listed(tab: AppTest, column: str = "number") -> list[Any]:
    """Return a column of the list in the tab."""
    return list(listings(tab)[0].columns[column])


def act(tab: AppTest, column: str, row: int, of: int = 0) -> AppTest:
    """Click in a *column* of a list, in the row with this place."""
    return tell(tab, of, events=[{"event": "act", "value": [column, listings(tab)[of].ids[row]]}])


def sort(tab: AppTest, column: str, of: int = 0) -> AppTest:
    """Click on the header of a *column* of a list."""
    return tell(tab, of, events=[{"event": "sort", "value": column}])


def tell(
    tab: AppTest, of: int, *, events: list[dict[str, Any]] | None = None, state: dict[str, Any] | None = None
) -> AppTest:
    """Run the tab with what a browser would say of a list: AppTest (1.67) has no way of its own."""
    states, own = tab._tree.get_widget_states(), listings(tab)[of].id
    if events:
        states.widgets.add(id=f"$$STREAMLIT_INTERNAL_KEY_{own}__events", json_trigger_value=json.dumps(events))
    if state:
        states.widgets.add(id=own, json_value=json.dumps(state))
    return tab._run(states)


def listing(tab: AppTest, name: str) -> Listing:
    """Return the list with this name."""
    (found,) = [found for found in listings(tab) if found.name == name]
    return found


def tick(tab: AppTest, name: str, *rows: int) -> AppTest:
    """Tick exactly the rows with these places in the list with this name."""
    found = listing(tab, name)
    place = [one.name for one in listings(tab)].index(name)
    ticked = {"shown": found.ids, "on": [found.ids[row] for row in rows], "turn": found.turn + 1}
    return tell(tab, place, state={"ticked": ticked})
