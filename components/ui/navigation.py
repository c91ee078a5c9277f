"""Navigation between pages within the tab."""

from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import urlencode

import streamlit as st

from components.ui import session
from components.ui.markdown import plain
from services.audit import wording

LIST = "numbers.py"
ADD = "add_number.py"
IMPORT = "import_numbers.py"
JOBS = "jobs.py"
DETAIL = "number.py"
CAMPAIGNS = "campaigns.py"
CAMPAIGN = "campaign.py"
CONNECTIONS = "connections.py"
RECONCILE = "reconcile.py"
COMPARISON = "comparison"
"""What names a comparison in the address of its page."""
AGENTS = "agents.py"
HEALTH = "number_health.py"
ACTIVITY = "activity.py"
SETTINGS = "settings.py"
USERS = "users.py"
PROFILE = "profile.py"
TENANTS = "tenants.py"
Query = Mapping[str, str | list[str]]
"""A page's query string."""

_LIST_OF = {"number": LIST, "edit-number": LIST, "campaign": CAMPAIGNS}


def link(page: str | st.Page, *, label: str, icon: str | None = None, query_params: Query | None = None) -> None:
    """Draw a link to a page, in the tenant of this tab unless *query_params* name one."""
    st.page_link(page, label=label, icon=icon, query_params=session.in_tenant(query_params))


def go_to(page: str, query_params: Query | None = None) -> None:
    """Go to a page, in the tenant of this tab."""
    st.switch_page(page, query_params=session.in_tenant(query_params))


def leave(page: str) -> None:
    """Start over in the newly chosen tenant: state of *page* belongs to the previous one.

    From a detail page it leads to the list.
    """
    if page in _LIST_OF:
        go_to(_LIST_OF[page])
    st.rerun()


def menu(sections: Mapping[str, Sequence[st.Page]]) -> None:
    """Draw the links to the pages of each section that the reader may see; every run sends it, so it is kept small.

    Streamlit's own menu would drop the tenant from the address, and so would the link of its logo: see `page.style`.
    """
    query = session.in_tenant()
    with st.container(gap="xsmall", key="menu"):
        for title, pages in sections.items():
            seen = [page for page in pages if page.visibility == "visible"]
            if seen:
                st.caption(plain(title))
            for page in seen:
                st.page_link(page, label=plain(page.title), icon=page.icon, query_params=query)


def open_number(number_id: int, left: Mapping[str, int] | None = None) -> None:
    """Go to a number's page; from the page of one campaign or job, say which, as `number_query` does."""
    go_to(DETAIL, number_query(number_id, left))


def number_query(number_id: int, left: Mapping[str, int] | None = None) -> dict[str, str]:
    """Return what follows a number's page in its address. *left* is the page that it is opened from: `{"campaign": 3}`.

    Streamlit writes the address of the next page into the history entry of the one that is left
    (1.67), so on the way back the campaign's page finds the number's id: see `requested_id`.
    """
    return {"id": str(number_id)} | {noun: str(row_id) for noun, row_id in (left or {}).items()}


def number_address(number_id: int, tenant_id: int | None = None) -> str:
    """Return the address of a number's page, for another tab: in the given tenant, else in that of this one."""
    return _address("number", {"id": str(number_id)}, tenant_id)


def open_numbers(**filters: str) -> None:
    """Go to the list of numbers, filtered: each filter by its key in the address, with the word that it shows."""
    go_to(LIST, filters)


def numbers_address(**filters: str) -> str:
    """Return the address of the list of numbers, filtered as by `open_numbers`, for another tab."""
    return _address("", filters, None)


def open_campaign(campaign_id: int, *, number_id: int | None = None) -> None:
    """Go to a campaign's page; from a number's page, say which."""
    go_to(CAMPAIGN, campaign_query(campaign_id, number_id=number_id))


def campaign_query(campaign_id: int, *, number_id: int | None = None) -> dict[str, str]:
    """Return what follows a campaign's page in its address; on a number's page, say which that is."""
    return {"id": str(campaign_id)} | ({"number": str(number_id)} if number_id else {})


def requested_id(noun: str) -> str:
    """Return the id of the *noun* (`number`, `campaign`) that the address of its page means."""
    return st.query_params.get(noun) or st.query_params.get("id", "")


def campaign_address(campaign_id: int, tenant_id: int | None = None) -> str:
    """Return the address of a campaign's page, for another tab: in the given tenant, else in that of this one."""
    return _address("campaign", {"id": str(campaign_id)}, tenant_id)


def open_job(job_id: int) -> None:
    """Go to a job's page."""
    go_to(JOBS, job_query(job_id))


def job_query(job_id: int) -> dict[str, str]:
    """Return what follows the jobs' page in the address of one of them."""
    return {"job": str(job_id)}


def job_address(job_id: int) -> str:
    """Return the address of a job's page, for another tab."""
    return _address("jobs", job_query(job_id), None)


def activity_query(e164: str) -> dict[str, str]:
    """Return what follows the activity's address to show what happened to a number."""
    return {"activity_search": e164}


def tenant_audit_address(tenant_id: int) -> str:
    """Return the address of a tenant's audit, to copy or to open in another tab."""
    return f"/tenant-audit?tenant={tenant_id}"


def activity_address(first: date, last: date, tenant_id: int, *, action: str = "", actor: str = "") -> str:
    """Return the address of the audit log of a period, of all actions and people or of one."""
    wanted = {
        "activity_from": first.isoformat(),
        "activity_to": last.isoformat(),
        "activity_action": wording.action_options([action])[action] if action else "",
        "activity_who": actor,
        "tenant": str(tenant_id),
    }
    return "/activity?" + urlencode({key: value for key, value in wanted.items() if value})


def _address(page: str, query: Mapping[str, str], tenant_id: int | None) -> str:
    named = {session.TENANT: session.tenant_word(tenant_id)} if tenant_id else {}
    return f"/{page}?" + urlencode(session.in_tenant({**query, **named}))
