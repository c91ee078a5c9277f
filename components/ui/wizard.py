"""The wizard's frame: current step, choices so far, back at the left, one primary action at the right."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from components.ui import navigation
from components.ui.markdown import plain
from services.numbers.numbers import NumberRow
from services.text import numbering

_STATE = "wizard"


def state() -> dict[str, Any]:
    """Return the wizard's state: `step` and the values so far."""
    wizard_state: dict[str, Any] = st.session_state.setdefault(_STATE, {"step": "source"})
    return wizard_state


def belongs_to(tenant_id: int | None) -> bool:
    """Return whether what is entered is for a tenant; what was entered for another one is forgotten."""
    known = state()
    if known.setdefault("tenant", tenant_id) == tenant_id:
        return True
    begun = known["step"] not in ("source", "done")
    reset()
    state()["tenant"] = tenant_id
    return not begun


def reset() -> None:
    """Start over with empty state."""
    st.session_state[_STATE] = {"step": "source"}
    for key in list(st.session_state):
        if str(key).startswith("add_"):
            del st.session_state[key]


def go(step: str, **known: Any) -> None:
    """Go to *step*, adding values to the state."""
    state().update(step=step, **known)


def is_added() -> bool:
    """Return whether the wizard has added a number."""
    return bool(state()["step"] == "done")


def step(title: str, number: int, of: int, chosen: Mapping[str, str]) -> None:
    """Draw the title of a step, and what was chosen before it."""
    st.caption(f"Step {number} of {of}")
    st.subheader(title, anchor=False)
    if chosen:
        st.caption(" · ".join(f"{plain(name)}: **{plain(value)}**" for name, value in chosen.items()))


def buttons(before: str, label: str, forward: Callable[[], None], *, disabled: bool = False) -> None:
    """Draw `Back` at the left, to the step *before*, and the primary action at the right."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        back(before)
        st.button(label, key=f"wizard_{state()['step']}_forward", type="primary", on_click=forward, disabled=disabled)


def back(before: str) -> None:
    """Draw the link to the step *before*.

    Every step has buttons of its own: with one key, a second press would do what the next step's button does.
    """
    key = f"wizard_{state()['step']}_back"
    st.button("Back", key=key, icon=":material/arrow_back:", on_click=lambda: go(before))


def ways_on(number_id: int) -> None:
    """Draw the ways on from the last step: another one at the left; at the right the campaigns, and the new number."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.button("Add another", icon=":material/add:", on_click=reset)
        with st.container(horizontal=True, width="content"):
            if st.button("Go to campaigns"):
                navigation.go_to(navigation.CAMPAIGNS)
            if st.button("View number", type="primary"):
                navigation.open_number(number_id)


def facts(number: NumberRow, webhooks: str) -> dict[str, str]:
    """Return what the last step says of a number that was added; *webhooks* says what became of them."""
    return {
        "Number": numbering.display(number.e164),
        "Country": numbering.country(number.country),
        "Connection": number.connection or "—",
        "Label": number.label or "No label",
        "Inbound call agent": number.agent or "No agent",
        "Webhooks": webhooks,
    }
