"""The settings of one phone number, after a check that the reader may change them."""

import streamlit as st

from components.numbers import number_page as draw
from components.numbers.number_editor import Editor
from components.ui import navigation, notices
from components.ui.page import errors_shown, header
from components.ui.session import current_actor, reader_zone, rechecked
from db.base.engine import open_session
from services.core.access import Permission, require
from services.numbers import numbers

actor, zone = current_actor(), reader_zone()

header("Edit phone number")
with errors_shown(), open_session() as session:
    number = numbers.get(session, actor, st.query_params.get("id", ""))
    navigation.link(
        navigation.DETAIL, label="Back to the number", icon=":material/arrow_back:", query_params={"id": str(number.id)}
    )
    require(actor, Permission.NUMBERS_WRITE)
    editor = Editor(actor, number, zone, rechecked(open_session))
    editor.prepare()
    notices.show_kept("status")
    draw.card(editor, with_tenant=actor.all_tenants, writes=False)
    if number.is_gone:
        draw.read_only(number)
    else:
        editor.sections(session)
