"""Administration in a real browser: somebody new, from the one-time password to the own work."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.console import Console

pytestmark = pytest.mark.e2e

OWN = "a-password-of-my-own"


def change_password(tab: Console, old: str, new: str) -> None:
    for field, value in (("Current password", old), ("New password", new), ("Repeat new password", new)):
        tab.field(field).fill(value)
    tab.button("Change password").click()


def test_an_admin_adds_an_operator_who_chooses_a_password_and_works(visitor: Visitor) -> None:
    admin = visitor("admin").open("/users")
    admin.button("Add user").click()
    admin.field("User name").fill(" Nina.New ")
    admin.field("Name").fill("Nina New")
    dialog = admin.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add user", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(admin.page.get_by_text("One-time password for nina.new")).to_be_visible()
    once = admin.page.locator("[data-testid=stCode]").inner_text().strip()
    assert len(once) >= 12
    admin.press("Hide")
    expect(admin.page.get_by_text(once)).to_have_count(0)

    nina = visitor().open().sign_in("NINA.NEW ", once)
    expect(nina.heading("Your account")).to_be_visible()
    for path in ("/", "/users", "/add-number", "/settings"):
        nina.open(path)
        expect(nina.heading("Your account")).to_be_visible()
    expect(nina.page.get_by_role("link", name="Phone numbers")).to_have_count(0)
    change_password(nina, once, "password1234")
    expect(nina.page.get_by_text("This password is easy to guess.")).to_be_visible()
    change_password(nina, once, OWN)
    expect(nina.heading("Phone numbers")).to_be_visible()
    nina.settle()
    assert nina.numbers()
    expect(nina.button("Add number")).to_be_visible()
    expect(nina.page.get_by_role("link", name="Users")).to_have_count(0)
    nina.open("/users")  # the sign-in holds after a reload, and still opens no users
    expect(nina.page.get_by_text("Your role does not allow this. Ask an admin of the tenant.")).to_be_visible()
    nina.expect_no_error()

    again = visitor().open()
    again.field("User name").fill("nina.new")
    again.field("Password").fill(once)
    again.button("Sign in").click()
    expect(again.page.get_by_text("User name or password is wrong.")).to_be_visible()
    again.sign_in("nina.new", OWN)
    expect(again.heading("Phone numbers")).to_be_visible()


def test_a_superadmin_sets_up_a_tenant_and_suspends_it_under_its_admin(visitor: Visitor) -> None:
    root = visitor("superadmin").open("/tenants")
    root.button("Add tenant").click()
    dialog = root.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name", exact=True).fill("Zenith Calls")
    dialog.get_by_role("button", name="Add tenant", exact=True).click()
    root.button("Add the first admin").click()
    expect(root.heading("Users")).to_be_visible()
    expect(root.page.get_by_text("No users yet. Add the first admin of this tenant.")).to_be_visible()
    root.settle()
    root.button("Add user").first.click()  # an empty list has another below
    dialog.get_by_role("textbox", name="User name", exact=True).fill("zoe.zenith")
    dialog.get_by_role("combobox", name="Role", exact=True).click()
    root.page.get_by_role("option", name="Admin", exact=True).click()
    dialog.get_by_role("button", name="Add user", exact=True).click()
    expect(dialog).to_have_count(0)
    once = root.page.locator("[data-testid=stCode]").inner_text().strip()

    root.button("Add user").click()
    dialog.get_by_role("textbox", name="User name", exact=True).fill(" Partner ")
    dialog.get_by_role("button", name="Add user", exact=True).click()
    expect(dialog.get_by_text("User partner already exists in another tenant.")).to_be_visible()
    dialog.get_by_role("button", name="Give this role", exact=True).click()
    expect(root.page.get_by_text("Partner is now operator in this tenant.")).to_be_visible()
    expect(dialog).to_have_count(0)

    zoe = visitor().open().sign_in("zoe.zenith", once)
    change_password(zoe, once, OWN)
    expect(zoe.heading("Phone numbers")).to_be_visible()
    zoe.open("/settings")
    expect(zoe.heading("Settings")).to_be_visible()

    root.open("/tenants")
    root.page.get_by_role("rowheader").get_by_role("button", name="Zenith Calls").click()
    expect(dialog.get_by_text("Zenith Calls")).to_be_visible()
    dialog.get_by_role("button", name="Suspend", exact=True).click()
    root.button("Suspend tenant").click()
    expect(root.page.get_by_test_id("stToast")).to_contain_text("Zenith Calls was suspended.")

    zoe.page.get_by_role("spinbutton", name=re.compile("Falling from")).fill("12")
    zoe.button("Save").nth(1).click()
    expect(zoe.page.get_by_text("Zenith Calls was suspended.")).to_contain_text("Nothing was saved.")
    expect(zoe.page.get_by_role("spinbutton")).to_have_count(0)
    zoe.open("/")
    expect(zoe.page.get_by_text("Zenith Calls is suspended, so nobody can work there.")).to_be_visible()
    zoe.page.locator("[data-testid=stMain]").get_by_role("button", name="Sign out").click()
    expect(zoe.button("Sign in")).to_be_visible()
    zoe.expect_no_error()
    root.expect_no_error()
