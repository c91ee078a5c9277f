"""Ways from page to page that stay in the tab."""

import streamlit as st

LIST = "numbers.py"
ADD = "add_number.py"
DETAIL = "number.py"
EDIT = "edit_number.py"
CAMPAIGNS = "campaigns.py"
CAMPAIGN = "campaign.py"
CONNECTIONS = "connections.py"
AGENTS = "agents.py"


def open_number(number_id: int) -> None:
    """Go to a number's page."""
    st.switch_page(DETAIL, query_params={"id": str(number_id)})


def number_address(number_id: int, tenant_id: int | None = None) -> str:
    """Return the address of a number's page, to copy or to open in another tab."""
    return f"/number?id={number_id}" + (f"&tenant={tenant_id}" if tenant_id else "")


def open_campaign(campaign_id: int) -> None:
    """Go to a campaign's page."""
    st.switch_page(CAMPAIGN, query_params={"id": str(campaign_id)})


def campaign_address(campaign_id: int, tenant_id: int | None = None) -> str:
    """Return the address of a campaign's page, to copy or to open in another tab."""
    return f"/campaign?id={campaign_id}" + (f"&tenant={tenant_id}" if tenant_id else "")
