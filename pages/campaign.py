"""One campaign: its details, its pool, and how its numbers perform."""

import streamlit as st

from components.campaigns import campaign as draw
from components.campaigns.campaigns import PLACE
from components.health.number_health import falls as draw_falls
from components.ui import navigation, notices
from components.ui.dialogs import Dialog
from components.ui.listing.toolbar import opened
from components.ui.page import errors_shown
from components.ui.session import current_actor, reader_zone, rechecked
from db.base.engine import open_session
from db.base.scope import Slice
from services.audit import audit
from services.campaigns import campaigns
from services.core.access import Permission
from services.health import number_health, summaries, thresholds
from services.text import days

actor, zone = current_actor(), reader_zone()
dialog = Dialog(actor, zone, rechecked(open_session), PLACE)

with errors_shown(), open_session() as session:
    campaign = campaigns.get(session, actor, navigation.requested_id("campaign"))
    writes = actor.may(Permission.CAMPAIGNS_WRITE)
    navigation.link(navigation.CAMPAIGNS, label="Campaigns", icon=":material/arrow_back:")
    notices.show_kept(PLACE)
    draw.card(dialog, campaign, with_tenant=actor.all_tenants, writes=writes)
    summaries.freshen(session, actor, thresholds.IDLE_DAYS)
    draw_falls(number_health.falls(session, actor, thresholds.IDLE_DAYS, campaign.id), with_tenant=False)
    draw.pool_header(dialog, campaign, writes=writes)
    rows = []
    if campaign.pool:
        table = st.container()
        part = draw.pager(campaign)
        today = days.today_of(session, actor)
        rows = campaigns.pool(session, actor, campaign.id, today, part)
        weights = number_health.weights(session, actor, [campaign.id], [row.number_id for row in rows])
        with table:
            draw.pool(dialog, campaign, rows, weights, writes=writes)
    else:
        draw.empty_pool(dialog, campaign, writes=writes)
    draw.history(audit.history(session, actor, "campaign", campaign.id, Slice(size=20)), zone)
    number_id = opened(PLACE)
    for row in rows:
        if row.number_id == number_id:
            draw.edit_place(dialog, campaign, row)
