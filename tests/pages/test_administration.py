"""Users and tenants on screen: a one-time password and what it leads to."""

from datetime import UTC, datetime

import pytest
from sqlmodel import Session

from db.models import Role
from services import sign_in, users
from tests.conftest import World
from tests.pages.tab import press, signed_in, texts, title, visit


@pytest.fixture
def jane(session: Session, world: World) -> users.NewUser:
    return users.create(session, world.admin, "jane", "Jane Doe", Role.OPERATOR)


def test_a_one_time_password_leads_to_the_own_password_and_nowhere_else(
    session: Session, world: World, jane: users.NewUser
) -> None:
    tab = signed_in("jane")
    visit(tab, "numbers.py")
    assert not tab.exception
    assert title(tab) == "Your account"
    tab.text_input(key="password_old").set_value(jane.one_time_password)
    tab.text_input(key="password_new").set_value("a-new-long-password")
    tab.text_input(key="password_again").set_value("another-password")
    press(tab, "Change password")
    assert "The two new passwords differ." in texts(tab, "error")
    tab.text_input(key="password_old").set_value(jane.one_time_password)
    tab.text_input(key="password_new").set_value("a-new-long-password")
    tab.text_input(key="password_again").set_value("a-new-long-password")
    press(tab, "Change password")
    session.rollback()
    actor = sign_in.load_actor(session, "jane", datetime.now(UTC), None)
    assert actor
    assert not actor.must_change_password
    visit(tab, "numbers.py")
    assert title(tab) == "Phone numbers"


def test_an_admin_sees_the_users_of_the_own_tenant_alone(world: World, jane: users.NewUser) -> None:
    tab = signed_in("admin")
    visit(tab, "users.py")
    shown = " ".join(texts(tab, "markdown"))
    assert "Jane Doe" in shown
    assert "Stranger" not in shown


def test_making_somebody_a_viewer_acts_on_their_next_click(world: World, jane: users.NewUser, session: Session) -> None:
    tab = signed_in("admin")
    visit(tab, "users.py")
    person = next(user for user in users.search(session, world.admin) if user.username == "operator")
    tab.button(key=f"Make viewer_{person.id}").click().run()
    assert not tab.exception
    session.rollback()
    demoted = sign_in.load_actor(session, "operator", datetime.now(UTC), None)
    assert demoted
    assert demoted.role is Role.VIEWER
