"""The tenant audit: what each role finds on it, its period, and tenants beside each other."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from services.numbers import numbers
from services.people.sign_in import ALL_TENANTS
from tests.conftest import World
from tests.pages.conftest import Stock
from tests.pages.tab import links, listed, listings, signed_in, texts, visit

PAGE = "tenant_audit.py"


def metrics(tab: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in tab.metric}


def opened(username: str, works_in: int | None = None, **query: str) -> AppTest:
    tab = visit(signed_in(username, works_in), PAGE, **query)
    assert not tab.exception
    return tab


@pytest.mark.parametrize("reader", ["viewer", "operator", "admin", "superadmin"])
def test_every_role_reads_the_findings_and_gets_only_ways_that_it_may_go(
    reader: str, world: World, stock: Stock
) -> None:
    tab = opened(reader, world.tenant if reader == "superadmin" else None)
    assert metrics(tab)["Numbers held"] == "3"
    told = texts(tab, "markdown")
    assert "**3 active numbers without an agent**" in told
    assert "**1 campaign without a primary number**" in told
    assert "**1 active admin only**" in told
    assert {"Show numbers", "Show campaigns"} <= set(links(tab))
    assert ("Show users" in links(tab)) == (reader in ("admin", "superadmin"))


def test_nothing_of_another_tenant_is_told(world: World, stock: Stock) -> None:
    tab = opened("stranger")
    assert metrics(tab)["Numbers held"] == "1"
    everything = " ".join(texts(tab)) + " ".join(str(table.value.to_dict()) for table in tab.table)
    assert "Sales" not in everything
    assert "Secret of the other" in everything


def test_a_finding_leads_to_the_numbers_it_counts(world: World, stock: Stock, session: Session) -> None:
    numbers.restrict_inbound(session, world.operator, stock.sales, ["US"], version=1)
    tab = signed_in("viewer", attention="Country restrictions")
    assert not tab.exception
    assert listed(tab, "name") == ["Sales"]
    tab = signed_in("viewer", agent="Unassigned", status="Active")
    assert len(listed(tab)) == 3


def test_the_period_is_in_the_address_and_counts_only_its_days(world: World, stock: Stock) -> None:
    today = datetime.now(UTC).date()
    tab = opened("viewer")
    assert any("4 changes" in text for text in texts(tab, "markdown"))
    before = (today - timedelta(days=9)).isoformat(), (today - timedelta(days=8)).isoformat()
    tab = opened("viewer", audit_from=before[0], audit_to=before[1])
    assert [str(field.value) for field in tab.date_input] == list(before)
    assert any("0 changes" in text for text in texts(tab, "markdown"))


def test_a_period_that_ends_before_it_starts_is_refused_in_words(world: World, stock: Stock) -> None:
    tab = opened("viewer", audit_from="2026-05-05", audit_to="2026-05-04")
    assert texts(tab, "error") == ["The period ends before it starts. Choose a last day on or after the first."]


@pytest.mark.parametrize("nonsense", ["abc", "2026-13-45", "0000-00-00", "9999-12-31", "' OR 1=1 --", ""])
def test_nonsense_in_the_address_does_no_harm(nonsense: str, world: World, stock: Stock) -> None:
    tab = opened("viewer", audit_from=nonsense, audit_to="x", tenant=nonsense)
    assert len(texts(tab, "error")) <= 1


def test_a_name_is_shown_as_it_is(world: World, stock: Stock, session: Session) -> None:
    numbers.rename(session, world.operator, stock.sales, "**Bold** [x](y) <b>", version=1)
    tab = opened("viewer")
    cells = " ".join(str(table.value.to_dict()) for table in tab.table)
    assert r"\\*\\*Bold\\*\\* \\[x\\](y) \\<b\\>" in cells


def test_a_superadmin_compares_tenants_and_goes_into_one(world: World, stock: Stock) -> None:
    tab = opened("superadmin", ALL_TENANTS)
    assert listed(tab, "tenant") == ["Acme", "Other"]
    assert listed(tab, "numbers") == ["3", "1"]
    assert listings(tab)[0].addresses["tenant"][0] == f"/tenant-audit?tenant={world.tenant}"
    tab.selectbox(key="compared_sort").set_value("numbers").run()
    assert listed(tab, "tenant") == ["Acme", "Other"]
    link = visit(signed_in("superadmin", tenant=str(world.other_tenant)), PAGE)
    assert metrics(link)["Numbers held"] == "1"
