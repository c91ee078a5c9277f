"""Users and tenants on screen: a one-time password and what it leads to."""

from datetime import UTC, datetime

import pytest
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from db.models import Role
from services.people import sign_in, users
from services.people.sign_in import ALL_TENANTS
from tests.conftest import World
from tests.pages.tab import buttons, listed, press, signed_in, tables, texts, title, visit


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
    visit(tab, "profile.py")  # AppTest stays at the page that it was asked for
    tab.text_input(key="password_old").set_value(jane.one_time_password)
    tab.text_input(key="password_new").set_value("a-new-long-password")
    tab.text_input(key="password_again").set_value("another-password")
    press(tab, "Change password")
    assert "The new passwords don't match." in texts(tab, "error")
    tab.text_input(key="password_old").set_value(jane.one_time_password)
    tab.text_input(key="password_new").set_value("a-new-long-password")
    tab.text_input(key="password_again").set_value("a-new-long-password")
    press(tab, "Change password")
    session.rollback()
    actor = sign_in.load_actor(session, "jane", datetime.now(UTC), None)
    assert actor
    assert not actor.must_change_password
    assert title(tab) == "Phone numbers"
    assert "Your password was changed. Welcome." in texts(tab, "toast")
    assert not sign_in.matches(jane.one_time_password, sign_in.attempt(session, "jane").password_hash)


def test_the_password_form_says_nothing_new_before_it_is_sent(world: World, jane: users.NewUser) -> None:
    tab = visit(signed_in("jane"), "users.py")
    assert title(tab) == "Your account"
    assert set(buttons(tab)) == {"Change password", "Sign out", "Sign out everywhere"}
    assert not tab.selectbox
    assert not texts(tab, "error", "warning")


def test_an_admin_sees_the_users_of_the_own_tenant_alone(world: World, jane: users.NewUser) -> None:
    tab = visit(signed_in("admin"), "users.py")
    assert listed(tab, "username") == ["admin", "both", "jane", "operator", "viewer"]
    tab.text_input(key="users_search").set_value("JANE").run()
    assert [list(found) for found in listed(tab, "status")] == [["Active", "One-time password"]]
    tab.text_input(key="users_search").set_value("stranger").run()
    assert not tables(tab)
    tab.button(key="empty_clear").click().run()
    assert len(listed(tab, "username")) == 5


def test_a_superadmin_sees_every_user_with_the_roles_everywhere(world: World) -> None:
    tab = visit(signed_in("superadmin", ALL_TENANTS), "users.py")
    roles = dict(zip(listed(tab, "username"), listed(tab, "role"), strict=True))
    assert roles["both"] == "Acme: Operator, Other: Viewer"
    assert roles["superadmin"] == "Superadmin"
    tab.multiselect(key="users_role").set_value(["superadmin"]).run()
    assert listed(tab, "username") == ["superadmin"]
    assert "Add superadmin" in buttons(tab)


def opened(tab: AppTest, place: str, row_id: int) -> AppTest:
    """Open the dialog of a row, as a click on its name does."""
    return hold(tab, place, row_id).run()


def hold(tab: AppTest, place: str, row_id: int) -> AppTest:
    """Keep the dialog of a row open for what comes next: AppTest runs the whole page, a browser the dialog alone."""
    tab.session_state[f"{place}_open"] = row_id
    return tab


def role_of(session: Session, username: str) -> Role | None:
    session.rollback()
    actor = sign_in.load_actor(session, username, datetime.now(UTC), None)
    return actor.role if actor else None


def test_making_somebody_a_viewer_acts_on_their_next_click(session: Session, world: World) -> None:
    tab = opened(visit(signed_in("admin"), "users.py"), "users", world.operator.user_id)
    tab.selectbox(key=f"user_{world.operator.user_id}_{world.tenant}_role").set_value(Role.VIEWER)
    press(hold(tab, "users", world.operator.user_id), "Save role")
    assert not tab.exception
    assert role_of(session, "operator") is Role.VIEWER


@pytest.mark.parametrize(
    ("event_action", "told"),
    [
        ("Deactivate", "Viewer was deactivated."),
        ("Remove from Acme", "Viewer was removed from Acme."),
        ("Reset password", "Viewer now has a one-time password."),
        ("Sign out everywhere", "Viewer was signed out everywhere."),
    ],
)
def test_what_is_done_to_a_user_is_asked_first_and_said_after(
    session: Session, world: World, event_action: str, told: str
) -> None:
    tab = opened(visit(signed_in("admin"), "users.py"), "users", world.viewer.user_id)
    hold(tab, "users", world.viewer.user_id).button(key=f"yes_{event_action}").click().run()
    assert not tab.exception
    assert told in texts(tab, "toast")
    with_role = role_of(session, "viewer") is Role.VIEWER
    assert with_role == (event_action in ("Reset password", "Sign out everywhere"))
    codes = texts(tab, "code")
    assert len(codes) == (event_action == "Reset password")
    if codes:
        assert sign_in.matches(codes[0], sign_in.attempt(session, "viewer").password_hash)
        press(tab, "Hide")
        assert not texts(tab, "code")


def test_an_admin_is_not_offered_what_only_a_superadmin_does(world: World) -> None:
    tab = opened(visit(signed_in("admin"), "users.py"), "users", world.nowhere.user_id)
    assert any("belongs to other tenants too" in text for text in texts(tab, "caption"))
    assert "Save role" in buttons(tab)
    assert "Yes, remove from Acme" in buttons(tab)
    for withheld in ("Yes, reset password", "Yes, deactivate", "Yes, make superadmin"):
        assert withheld not in buttons(tab)
    visit(tab, "users.py")
    own = opened(tab, "users", world.admin.user_id)
    assert not [label for label in buttons(own) if label.startswith("Yes, ") or label == "Save role"]


def test_a_superadmin_gives_a_user_a_role_in_another_tenant(session: Session, world: World) -> None:
    tab = opened(visit(signed_in("superadmin", ALL_TENANTS), "users.py"), "users", world.viewer.user_id)
    hold(tab, "users", world.viewer.user_id)
    tab.selectbox(key=f"user_{world.viewer.user_id}_tenant").set_value(world.other_tenant).run()
    hold(tab, "users", world.viewer.user_id)
    tab.selectbox(key=f"user_{world.viewer.user_id}_{world.other_tenant}_role").set_value(Role.ADMIN)
    press(tab, "Save role")
    assert not tab.exception
    found = users.get(session, world.superadmin, world.viewer.user_id).user
    assert [(place.tenant, place.role) for place in found.places] == [("Acme", Role.VIEWER), ("Other", Role.ADMIN)]


def test_a_superadmin_makes_another_one(session: Session, world: World) -> None:
    tab = opened(visit(signed_in("superadmin", ALL_TENANTS), "users.py"), "users", world.viewer.user_id)
    hold(tab, "users", world.viewer.user_id).button(key="yes_Make superadmin").click().run()
    assert "Viewer is now a superadmin." in texts(tab, "toast")
    assert users.get(session, world.superadmin, world.viewer.user_id).user.is_superadmin


def test_a_tenant_is_suspended_and_opened_again_and_leads_to_its_users(session: Session, world: World) -> None:
    tab = opened(visit(signed_in("superadmin", ALL_TENANTS), "tenants.py"), "tenants", world.other_tenant)
    press(hold(tab, "tenants", world.other_tenant), "Suspend tenant")
    assert "Other was suspended." in texts(tab, "toast")
    assert [list(found) for found in listed(tab, "status")] == [["Active"], ["Suspended"]]
    opened(tab, "tenants", world.other_tenant)
    press(hold(tab, "tenants", world.other_tenant), "Resume tenant")
    assert [list(found) for found in listed(tab, "status")] == [["Active"], ["Active"]]
    opened(tab, "tenants", world.other_tenant)
    press(hold(tab, "tenants", world.other_tenant), "Its users")
    assert title(tab) == "Users"
    assert listed(tab, "username") == ["both", "stranger"]


def test_the_own_account_shows_roles_and_sign_ins_and_signs_out_everywhere(session: Session, world: World) -> None:
    sign_in.succeeded(session, "both")
    tab = visit(signed_in("both"), "profile.py")
    shown = texts(tab, "markdown")
    assert "- **Acme**: operator" in shown
    assert sum("now" in text or "ago" in text for text in shown) == 1
    tab.button(key="own_sign_out_everywhere").click().run()
    assert buttons(tab) == ["Sign in"]
