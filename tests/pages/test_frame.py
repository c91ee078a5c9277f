"""The frame: a sign-in holds only as long as it should, and a database that is away is said in words."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from db.models import Membership, Role, Tenant, User
from services.numbers import numbers
from services.people import users
from services.people.sign_in import ALL_TENANTS
from tests.conftest import PASSWORD, World
from tests.pages.conftest import Stock
from tests.pages.tab import (
    PAGES,
    buttons,
    fill_sign_in,
    links,
    listed,
    press,
    save,
    signed_in,
    signed_out,
    tables,
    texts,
    title,
    visit,
)

ENDED = "You have been signed out. Sign in again to continue."


def change_user(session: Session, username: str, **values: object) -> None:
    session.execute(sa.update(User).where(User.username == username).values(values))
    session.commit()


def change_role(session: Session, user_id: int, role: Role) -> None:
    session.execute(sa.update(Membership).where(Membership.user_id == user_id).values(role=role))
    session.commit()


def label(session: Session, world: World, number_id: int) -> str:
    session.rollback()
    return numbers.get(session, world.admin, number_id).label


def test_a_deactivated_user_is_out_at_the_next_run(session: Session, world: World, stock: Stock) -> None:
    tab = signed_in("operator")
    change_user(session, "operator", is_active=False)
    tab.run()
    assert not tab.exception
    assert texts(tab, "error") == [ENDED]
    assert buttons(tab) == ["Sign in"]
    assert not tables(tab)


def test_a_deactivated_user_cannot_sign_in(session: Session, world: World) -> None:
    change_user(session, "operator", is_active=False)
    tab = fill_sign_in(signed_out(), "operator", PASSWORD)
    assert texts(tab, "error") == ["User name or password is wrong."]


def test_a_changed_role_acts_at_the_next_run(session: Session, world: World, stock: Stock) -> None:
    tab = visit(signed_in("operator"), "number.py", id=str(stock.sales))
    assert tab.text_input
    change_role(session, world.operator.user_id, Role.VIEWER)
    tab.run()
    assert not tab.exception
    assert not tab.text_input
    change_role(session, world.operator.user_id, Role.OPERATOR)
    tab.run()
    assert tab.text_input


@pytest.mark.parametrize("loss", ["deactivated", "made a viewer", "signed out everywhere", "taken out of the tenant"])
def test_the_very_click_after_a_loss_of_rights_saves_nothing(
    loss: str, session: Session, world: World, stock: Stock
) -> None:
    tab = visit(signed_in("operator"), "number.py", id=str(stock.sales))
    tab.text_input(key="number_label").set_value("Too late")
    if loss == "deactivated":
        change_user(session, "operator", is_active=False)
    elif loss == "made a viewer":
        change_role(session, world.operator.user_id, Role.VIEWER)
    elif loss == "signed out everywhere":
        change_user(session, "operator", sessions_valid_from=datetime.now(UTC) + timedelta(seconds=1))
    else:
        session.execute(sa.delete(Membership).where(Membership.user_id == world.operator.user_id))
        session.commit()
    save(tab, "label")
    assert not tab.exception
    assert label(session, world, stock.sales) == "Sales"


def test_the_very_click_after_a_loss_of_rights_adds_nothing(session: Session, world: World) -> None:
    tab = press(visit(signed_in("operator"), "add_number.py"), "Add manually")
    tab.text_input(key="add_number").set_value("+14155552671")
    tab.selectbox(key="add_connection").set_value(world.sip).run()
    press(tab, "Next: Configure number")
    change_role(session, world.operator.user_id, Role.VIEWER)
    press(tab, "Add number")
    assert not tab.exception
    session.rollback()
    assert numbers.count(session, world.admin, numbers.NumberQuery()) == 0


def test_signing_out_everywhere_ends_another_session(world: World, stock: Stock) -> None:
    here, there, stranger = signed_in("operator"), signed_in("operator"), signed_in("stranger")
    press(here, "Sign out everywhere")
    assert not here.exception
    assert buttons(here) == ["Sign in"]
    there.run()
    assert texts(there, "error") == [ENDED]
    assert not tables(there)
    assert tables(stranger.run())


NONSENSE = ("4711", "0", "abc", "-1", "9" * 30, "1 OR 1", "1\x00")


def test_a_link_into_a_tenant_that_is_not_the_readers_answers_as_one_to_none_does(world: World, stock: Stock) -> None:
    for linked in (str(world.other_tenant), "all", *NONSENSE):
        tab = signed_in("operator", tenant=linked)
        assert not tab.exception
        assert texts(tab, "warning") == ["Resource not available"], linked
        assert "Back to the list" in links(tab)
        assert not tables(tab)
    assert len(listed(visit(tab, "numbers.py"))) == 3  # the way back leads into the own tenant


def test_a_link_may_choose_among_the_tenants_of_a_user(world: World, stock: Stock) -> None:
    assert listed(signed_in("both", tenant=str(world.other_tenant)), "name") == ["Secret of the other"]
    for linked in ("all", *NONSENSE):
        tab = signed_in("both", tenant=linked)
        assert texts(tab, "warning") == ["Resource not available"], linked
        assert not tables(tab)


def test_a_superadmin_follows_no_link_to_a_tenant_that_is_not_there(world: World, stock: Stock) -> None:
    for linked in NONSENSE:
        tab = signed_in("superadmin", tenant=linked)
        assert not tab.exception
        assert texts(tab, "warning") == ["Resource not available"], linked
    assert len(listed(signed_in("superadmin", tenant="all"))) == 4


def test_who_loses_the_chosen_tenant_is_told_so_and_is_not_moved_into_another(
    session: Session, world: World, stock: Stock
) -> None:
    tab = signed_in("both")
    tab.selectbox(key="tenant_selector").set_value(world.other_tenant).run()
    assert listed(tab, "name") == ["Secret of the other"]
    suspend(session, world.other_tenant, datetime.now(UTC))
    tab.run()
    assert not tab.exception
    assert not tables(tab)
    assert warned(tab) == [
        "Other was suspended. Its data is kept, and a superadmin can resume it.",
        "Resource not available",
    ]
    assert len(listed(visit(tab, "numbers.py"))) == 3
    tab.button(key="out_seen").click().run()
    assert not warned(tab)


def suspend(session: Session, tenant: int, at: datetime | None) -> None:
    session.execute(sa.update(Tenant).where(Tenant.id == tenant).values(suspended_at=at))
    session.commit()


def take_out(session: Session, user_id: int, tenant: int) -> None:
    condition = (Membership.user_id == user_id, Membership.tenant_id == tenant)
    session.execute(sa.delete(Membership).where(*condition))
    session.commit()


SUSPENDED = "Acme was suspended. Its data is kept, and a superadmin can resume it."
TAKEN_OUT = "You no longer have access to Acme. Ask one of its admins if you need it."


def warned(tab: AppTest) -> list[str]:
    """Return what the tab warns of, as it is read."""
    return [text.replace("\\", "") for text in texts(tab, "warning")]


@pytest.mark.parametrize("reason", [SUSPENDED, TAKEN_OUT])
def test_who_is_put_out_of_the_only_tenant_is_told_why_and_saves_nothing(
    reason: str, session: Session, world: World, stock: Stock
) -> None:
    tab = visit(signed_in("operator"), "number.py", id=str(stock.sales))
    tab.text_input(key="number_label").set_value("Too late")
    if reason == SUSPENDED:
        suspend(session, world.tenant, datetime.now(UTC))
    else:
        take_out(session, world.operator.user_id, world.tenant)
    save(tab, "label")
    assert not tab.exception
    assert warned(tab) == [f"{reason} Nothing was saved."]
    assert not tab.text_input
    assert not tab.sidebar.selectbox
    assert label(session, world, stock.sales) == "Sales"
    tab.run()
    assert warned(tab) == [f"{reason} Nothing was saved."]
    assert not texts(tab, "error")
    tab.button(key="out_sign_out").click().run()
    assert buttons(tab) == ["Sign in"]


def test_who_signs_in_to_a_suspended_tenant_is_told_so_until_it_is_open_again(
    session: Session, world: World, stock: Stock
) -> None:
    suspend(session, world.tenant, datetime.now(UTC))
    tab = fill_sign_in(signed_out(), "operator", PASSWORD)
    assert warned(tab) == ["Acme is suspended, so nobody can work there."]
    assert not texts(tab, "info")
    assert not tables(tab)
    suspend(session, world.tenant, None)
    tab.run()
    assert not warned(tab)
    assert len(listed(tab)) == 3


def test_the_reason_goes_when_the_tenant_is_open_again(session: Session, world: World, stock: Stock) -> None:
    tab = signed_in("operator")
    suspend(session, world.tenant, datetime.now(UTC))
    assert warned(tab.run()) == [SUSPENDED]
    suspend(session, world.tenant, None)
    assert not warned(tab.run())


def test_who_has_no_role_at_all_is_told_so(session: Session, world: World) -> None:
    take_out(session, world.operator.user_id, world.tenant)
    tab = signed_in("operator")
    assert warned(tab) == [
        "You don't have access to any tenant yet. Ask a tenant's admin or a superadmin and tell them your user name: "
        "operator"
    ]
    assert "Sign out" in buttons(tab)


def test_who_leaves_a_tenant_by_choice_is_told_nothing(world: World, stock: Stock) -> None:
    tab = signed_in("both")
    for tenant in (world.tenant, world.other_tenant):
        tab.selectbox(key="tenant_selector").set_value(tenant).run()
        assert not warned(tab)


def test_who_is_no_longer_a_superadmin_is_told_so(session: Session, world: World) -> None:
    tab = signed_in("superadmin", ALL_TENANTS)
    change_user(session, "superadmin", is_superadmin=False)
    assert warned(tab.run()) == ["You are no longer a superadmin."]
    assert warned(tab.run()) == ["You are no longer a superadmin."]
    assert not tables(tab)


@pytest.mark.parametrize("name", ["oper\x00ator", "operator\x07", "oper\u200bator"])
def test_invisible_characters_in_the_form_are_said_in_words(name: str, world: World) -> None:
    tab = fill_sign_in(signed_out(), name, PASSWORD)
    assert not tab.exception
    assert texts(tab, "error") == ["A user name can't contain invisible characters. Type it again."]
    tab = fill_sign_in(tab, "operator", f"{PASSWORD}\x00{name}")
    assert not tab.exception
    assert texts(tab, "error") == ["User name or password is wrong."]


@pytest.mark.parametrize("text", ["long enough to be cut " * 8, "пароль-из-многих-слов-и-букв" * 3])
def test_a_password_of_any_length_lets_its_owner_in_and_nobody_else(text: str, session: Session, world: World) -> None:
    users.change_own_password(session, world.operator, PASSWORD, text + "-1", text + "-1")
    tab = fill_sign_in(signed_out(), "operator", text + "-2")
    assert texts(tab, "error") == ["User name or password is wrong."]
    assert title(fill_sign_in(tab, "operator", text + "-1")) == "Phone numbers"


def test_a_nul_in_the_address_finds_nothing_and_breaks_nothing(world: World, stock: Stock) -> None:
    tab = signed_in("superadmin", world.tenant)
    for page in PAGES.glob("[!f]*.py"):
        visit(
            tab,
            page.name,
            id="1\x00",
            search="4\x005",
            activity_search="a\x00",
            provider="x\x00",
            tag="x\x00",
            agent="x\x00",
            users_search="x\x00",
            tenants_search="x\x00",
        )
        assert not tab.exception, page.name
