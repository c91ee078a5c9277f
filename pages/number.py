"""One phone number: what it is, its settings, how its calls go, and its history."""

import streamlit as st

from components.audit import history
from components.health import campaign_health as health_chart
from components.numbers import number_page as draw
from components.numbers.number_editor import Editor
from components.numbers.provider_section import AtProvider
from components.ui import navigation, notices
from components.ui.page import errors_shown
from components.ui.session import current_actor, reader_zone, rechecked
from db.base.engine import open_session
from db.base.scope import Slice
from services.audit import audit
from services.core.access import Permission
from services.health import campaign_health, thresholds
from services.numbers import numbers
from services.orders import orders

actor, zone = current_actor(), reader_zone()
may_import = actor.may(Permission.HEALTH_WRITE) and not actor.all_tenants

with errors_shown(), open_session() as session:
    number = numbers.get(session, actor, navigation.requested_id("number"))
    editor = Editor(actor, number, zone, rechecked(open_session))
    editor.prepare()
    writes = actor.may(Permission.NUMBERS_WRITE)
    navigation.link(navigation.LIST, label="Phone numbers", icon=":material/arrow_back:")
    notices.show_kept("status")
    at_provider = AtProvider(actor, number, zone, rechecked(open_session))
    ordered = orders.of_number(session, actor, number.id)
    at_provider.pending(ordered, writes=writes)
    draw.card(editor, with_tenant=actor.all_tenants, writes=writes)
    left, right = st.columns([0.41, 0.59], gap="large")
    with left:
        st.subheader("Settings", anchor=False)
        if writes and not number.is_gone:
            editor.sections(session)
            at_provider.webhooks(ordered, writes=True)
            at_provider.resync()
            uses = numbers.attachments(session, actor, number.id)
            if number.is_managed:
                at_provider.release(uses)
            else:
                draw.danger(editor, uses)
        else:
            draw.read_only(number)
            at_provider.webhooks(ordered, writes=False)
            if actor.may(Permission.NUMBERS_BUY) and not actor.all_tenants:
                at_provider.buy_back()
    with right:
        st.subheader("Campaign Health", anchor=False)
        calls = campaign_health.of_number(session, actor, number.id, health_chart.window())
        health_chart.section(calls, thresholds.of(session, actor), number.id, zone, may_import=may_import)
        history.of_number(audit.history_of_number(session, actor, number.id, Slice(size=20)), zone, number)
