"""One number in two browsers: the second save is refused, and nothing that was typed is lost."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor

pytestmark = pytest.mark.e2e


def test_the_second_of_two_saves_is_refused_and_shows_the_first(visitor: Visitor) -> None:
    first, second = visitor("operator").open(), visitor("admin").open()
    first.open_row(1)
    second.open_row(1)
    assert first.query["id"] == second.query["id"]
    before = second.field("Label").input_value()
    first.save_label("Front desk of the operator")
    expect(first.page.get_by_text("Olga Operator changed the label")).to_be_visible()

    second.save_label("Front desk of the admin")
    refused = second.page.get_by_text("Someone else changed this number. Your change was not saved.")
    expect(refused).to_be_visible()
    section = second.section("Label")
    expect(section.get_by_text("Olga Operator changed the label")).to_be_visible()
    expect(section.get_by_text(f"Label: {before or '—'} → Front desk of the operator")).to_be_visible()
    expect(second.field("Label")).to_have_value("Front desk of the admin")

    section.get_by_role("button", name="Save").click()
    expect(refused).to_have_count(0)
    expect(second.page.get_by_text("Ada Admin changed the label")).to_be_visible()
    first.page.reload()
    first.settle()
    expect(first.field("Label")).to_have_value("Front desk of the admin")
    first.expect_no_error()
    second.expect_no_error()


def test_a_number_is_removed_only_when_that_is_confirmed_and_can_be_put_back(visitor: Visitor) -> None:
    tab = visitor("operator").open("/?managed=BYOT")
    number = tab.numbers()[0]
    tab.open_row(0)
    tab.button("Remove from workspace").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text(number)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(tab.field("Label")).to_be_visible()
    tab.button("Remove from workspace").click()
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(tab.button("Restore to workspace")).to_be_visible()
    expect(tab.field("Label")).to_have_count(0)
    tab.button("Restore to workspace").click()
    expect(tab.button("Activate")).to_be_visible()
    expect(tab.field("Label")).to_be_visible()
    tab.expect_no_error()
