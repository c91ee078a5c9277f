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
HEALTH = "number_health.py"
ACTIVITY = "activity.py"
SETTINGS = "settings.py"
USERS = "users.py"
PROFILE = "profile.py"


def open_number(number_id: int, *, campaign_id: int | None = None) -> None:
    """Go to a number's page; from a campaign's page, say which."""
    st.switch_page(DETAIL, query_params=number_query(number_id, campaign_id=campaign_id))


def number_query(number_id: int, *, campaign_id: int | None = None) -> dict[str, str]:
    """Return what follows a number's page in its address; on a campaign's page, say which that is.

    Streamlit writes the address of the next page into the history entry of the one that is left
    (1.67), so on the way back the campaign's page finds the number's id: see `shown`.
    """
    return {"id": str(number_id)} | ({"campaign": str(campaign_id)} if campaign_id else {})


def number_address(number_id: int, tenant_id: int | None = None) -> str:
    """Return the address of a number's page, to copy or to open in another tab."""
    return f"/number?id={number_id}" + (f"&tenant={tenant_id}" if tenant_id else "")


def open_numbers(**filters: str) -> None:
    """Go to the list of numbers, filtered: each filter by its key in the address, with the word that it shows."""
    st.switch_page(LIST, query_params=filters)


def open_campaign(campaign_id: int, *, number_id: int | None = None) -> None:
    """Go to a campaign's page; from a number's page, say which."""
    st.switch_page(CAMPAIGN, query_params=campaign_query(campaign_id, number_id=number_id))


def campaign_query(campaign_id: int, *, number_id: int | None = None) -> dict[str, str]:
    """Return what follows a campaign's page in its address; on a number's page, say which that is."""
    return {"id": str(campaign_id)} | ({"number": str(number_id)} if number_id else {})


def shown(noun: str) -> str:
    """Return the id of the *noun* (`number`, `campaign`) that the address of its page means."""
    return st.query_params.get(noun) or st.query_params.get("id", "")


def campaign_address(campaign_id: int, tenant_id: int | None = None) -> str:
    """Return the address of a campaign's page, to copy or to open in another tab."""
    return f"/campaign?id={campaign_id}" + (f"&tenant={tenant_id}" if tenant_id else "")


def activity_query(e164: str) -> dict[str, str]:
    """Return what follows the activity's address to show what happened to a number."""
    return {"activity_search": e164}
