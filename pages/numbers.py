"""The phone numbers of the chosen tenant, or of all of them."""

import streamlit as st

from components.jobs import job_list
from components.numbers import bulk_bar
from components.numbers import number_list as draw
from components.orders import open_orders
from components.ui import navigation
from components.ui.listing.downloads import downloads
from components.ui.listing.page import listed
from components.ui.page import errors_shown, header
from components.ui.session import current_actor, reader_zone, rechecked, reloader
from db.base.engine import open_session
from db.base.scope import Slice
from services.core.access import Permission
from services.numbers import numbers
from services.orders import orders
from services.text import exports
from services.text.labels import amount

actor, zone, reload, opener = current_actor(), reader_zone(), reloader(), rechecked(open_session)
may_add = actor.may(Permission.NUMBERS_ADD) and not actor.all_tenants


def add_button(key: str) -> None:
    if may_add and st.button("Add number", type="primary", icon=":material/add:", key=key):
        navigation.go_to(navigation.ADD)


def file(made: exports.Writer) -> bytes:
    with open_session() as session:
        return made([exports.numbers(numbers.export(session, reload(session), query), zone)])


with header(
    "Phone numbers",
    "Reference numbers (Twilio-managed or BYOT); call routing comes from your CRM/telephony layer.",
):
    if may_add:
        with st.container(horizontal=True):
            if st.button("Import from a file", icon=":material/upload_file:", key="import"):
                navigation.go_to(navigation.IMPORT)
            add_button("add")
with errors_shown(), open_session() as session:
    job_list.panel(session, actor, opener)
    open_orders.banner(orders.still_open(session, actor), actor, opener)
    query, wanted = draw.toolbar(draw.filters(session, actor))
    total, limit = numbers.count(session, actor, query), numbers.counted_up_to(actor, query)

    def table(part: Slice) -> None:
        chosen = bulk_bar.bar(actor, opener, query, total, limit)
        rows = numbers.search(session, actor, query, part, total=total)
        draw.table(rows, wanted, chosen, zone, with_tenant=actor.all_tenants)
        with wanted.end:
            downloads(file, "phone-numbers", amount(total, "number"))

    none_yet = "No phone numbers yet. Buy, import or register one."
    listed(wanted, "number", total, table, none_yet, "call", add_button, capped_at=limit)
