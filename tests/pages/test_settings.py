"""The settings on screen: saved section by section, by those who may, and read by the others."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from services.health.health_import import HealthImport
from services.health.thresholds import MEANINGS, Thresholds
from services.jobs import imports
from services.people import api_keys, tenant_settings, tenants
from tests.conftest import World
from tests.pages.conftest import Stock
from tests.pages.tab import buttons, links, press, save, signed_in, texts, visit
from tests.world.rows import fact_row

DEFAULTS = Thresholds()


def kept(session: Session, world: World) -> tenant_settings.TenantSettings:
    session.rollback()
    return tenant_settings.get(session, world.admin)


def test_an_admin_saves_each_section_by_itself(session: Session, world: World) -> None:
    tab = visit(signed_in("admin"), "settings.py")
    tab.number_input(key="settings_flag_share").set_value(40.0)
    save(tab, "settings_health")
    assert texts(tab, "toast") == ["Saved."]
    tab.selectbox(key="settings_time_zone").set_value("Asia/Kolkata")
    save(tab, "settings_zone")
    tab.number_input(key="settings_cap").set_value(250)
    save(tab, "settings_caps")
    found = kept(session, world)
    assert (found.time_zone, found.limits) == ("Asia/Kolkata", Thresholds(flag_share=0.4, cap=250))


def test_every_threshold_shows_its_value_default_and_range(world: World) -> None:
    tab = visit(signed_in("admin"), "settings.py")
    told = texts(tab, "caption")
    for name, meaning in MEANINGS.items():
        value = getattr(DEFAULTS, name) * (100 if meaning.is_share else 1)
        assert tab.number_input(key=f"settings_{name}").value == value
        wanted = f"From {meaning.number(meaning.least)} to {meaning.text(meaning.most)}; the default is {value:g}."
        assert any(text.endswith(wanted) for text in told), name


def test_what_is_out_of_range_is_refused_and_stays_typed(session: Session, world: World) -> None:
    tab = visit(signed_in("admin"), "settings.py")
    tab.number_input(key="settings_flag_share").set_value(250.0)
    save(tab, "settings_health")
    assert texts(tab, "error") == ["Low below: enter a number from 5 to 100%."]
    assert tab.number_input(key="settings_flag_share").value == 250
    tab.number_input(key="settings_cap_warning").set_value(100)
    save(tab, "settings_caps")
    assert texts(tab, "error") == ["Near cap from: enter a number below that of Capped at."]
    assert kept(session, world).limits == DEFAULTS


def test_the_defaults_come_back_when_they_are_saved(session: Session, world: World) -> None:
    tenant_settings.set_limits(session, world.admin, Thresholds(alarm=12, cap=200), version=1)
    tab = visit(signed_in("admin"), "settings.py")
    assert tab.number_input(key="settings_alarm").value == 12
    tab.button(key="FormSubmitter:settings_health-Reset to defaults").click().run()
    assert tab.number_input(key="settings_alarm").value == 9
    assert kept(session, world).limits.alarm == 12
    save(tab, "settings_health")
    assert kept(session, world).limits == Thresholds(cap=200)


def test_a_save_by_somebody_else_in_between_is_shown_and_what_was_typed_stays(session: Session, world: World) -> None:
    tab = visit(signed_in("admin"), "settings.py")
    tab.number_input(key="settings_alarm").set_value(12.0)
    tenants.change(session, world.superadmin, world.tenant, "Acme", "Asia/Kolkata", version=1)
    save(tab, "settings_health")
    assert texts(tab, "error") == ["Someone else changed this tenant. Your change was not saved."]
    assert any("Asia/Kolkata" in text for text in texts(tab, "caption"))
    assert tab.number_input(key="settings_alarm").value == 12
    assert tab.selectbox(key="settings_time_zone").value == "Asia/Kolkata"
    assert kept(session, world).limits.alarm == 9
    save(tab, "settings_health")
    found = kept(session, world)
    assert (found.limits.alarm, found.time_zone) == (12, "Asia/Kolkata")


def test_another_tenant_shows_its_own_settings(session: Session, world: World) -> None:
    tenant_settings.set_limits(session, world.stranger, Thresholds(alarm=20), version=1)
    tab = visit(signed_in("superadmin", world.tenant), "settings.py")
    assert tab.number_input(key="settings_alarm").value == 9
    tab.selectbox(key="tenant_selector").set_value(world.other_tenant).run()
    assert tab.number_input(key="settings_alarm").value == 20


@pytest.mark.parametrize("username", ["operator", "viewer"])
def test_others_read_the_settings_and_no_keys(session: Session, world: World, username: str) -> None:
    api_keys.create(session, world.admin, "Dialer")
    tab = visit(signed_in(username), "settings.py")
    assert not tab.exception
    assert set(buttons(tab)) == {"Sign out", "Sign out everywhere"}
    assert not tab.number_input
    shown = texts(tab, "markdown")
    for name, meaning in MEANINGS.items():
        assert any(text.startswith(f"{meaning.label}: **") for text in shown), name
    assert not any("Dialer" in text for text in shown)


def test_a_key_is_shown_once_and_revoked_after_asking(session: Session, world: World) -> None:
    tab = visit(signed_in("admin"), "settings.py")
    tab.text_input(key="api_key_name").set_value(" ")
    press(tab, "Create key")
    assert texts(tab, "error") == ["Name the key after the program that will use it."]
    tab.text_input(key="api_key_name").set_value("Dialer")
    press(tab, "Create key")
    (secret,) = texts(tab, "code")
    assert "Send campaign health" in texts(tab, "caption")
    assert api_keys.holder(session, secret).tenant_id == world.tenant
    assert any(secret[:11] in text for text in texts(tab, "markdown"))
    press(tab, "Hide")
    assert not texts(tab, "code")
    press(tab, "Revoke key")
    assert texts(tab, "toast") == ["Dialer was revoked."]
    session.rollback()
    with pytest.raises(api_keys.UnknownKey):
        api_keys.holder(session, secret)


def test_number_health_leads_whoever_may_change_them_to_the_thresholds(
    session: Session, world: World, stock: Stock
) -> None:
    today = datetime.now(UTC).date()
    row = fact_row("Renewals", "+14155552671", today - timedelta(days=1), 90, 30)
    imports.save(session, world.operator, HealthImport(today=today), [row], source="test")
    for username, led in (("admin", True), ("operator", False), ("viewer", False)):
        tab = visit(signed_in(username), "number_health.py")
        assert any("even the upper bound is below 50% of the pool's rate" in text for text in texts(tab, "caption"))
        assert ("Change the thresholds" in links(tab)) == led
