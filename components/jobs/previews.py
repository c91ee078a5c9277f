"""The way to the preview of a job, from wherever its numbers are listed."""

from collections.abc import Callable

import streamlit as st
from sqlmodel import Session

from components.ui import navigation, notices
from components.ui.sections import Opener


def preview(
    opener: Opener,
    place: str,
    draft: Callable[[Session], int],
    done: Callable[[], None] | None = None,
) -> None:
    """Have *draft* freeze what is chosen as the preview of a job, and go there after *done*; or say why not."""
    made: list[int] = []

    def act() -> str:
        with opener() as session, st.spinner("Preparing the preview…"):
            made.append(draft(session))
        return ""

    if notices.outcome(act, place) is None:
        if done is not None:
            done()
        navigation.open_job(made[0])
    notices.show_kept(place)
