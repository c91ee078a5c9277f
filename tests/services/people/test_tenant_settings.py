"""Settings of a tenant: checked by the service, written down, and never saved over someone else's."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from sqlmodel import Session

from db.base.scope import Slice
from db.models import Tenant
from services.audit import audit
from services.core.access import Actor
from services.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.health import thresholds
from services.health.thresholds import MEANINGS, Thresholds
from services.people import tenant_settings, tenants
from tests.conftest import World

DEFAULTS = Thresholds()


def limits(session: Session, actor: Actor) -> Thresholds:
    session.rollback()
    return tenant_settings.get(session, actor).limits


def test_every_threshold_has_a_meaning_and_a_default_within_its_range() -> None:
    assert set(MEANINGS) == {field.name for field in fields(Thresholds)}
    thresholds.check(DEFAULTS)


def test_an_admin_sets_thresholds_that_number_health_uses(session: Session, world: World) -> None:
    wanted = replace(DEFAULTS, flag_share=0.4, alarm=12.5, cap=200, cap_warning=150)
    version = tenant_settings.set_limits(session, world.admin, wanted, version=1)
    assert limits(session, world.viewer) == thresholds.of(session, world.operator) == wanted
    assert limits(session, world.stranger) == thresholds.of(session, world.everywhere) == DEFAULTS
    assert tenant_settings.get(session, world.admin).version == version == 2


def test_only_what_differs_from_the_defaults_is_kept(session: Session, world: World) -> None:
    version = tenant_settings.set_limits(session, world.admin, replace(DEFAULTS, alarm=12), version=1)
    assert session.get_one(Tenant, world.tenant).settings == {"health": {"alarm": 12}}
    tenant_settings.set_limits(session, world.admin, DEFAULTS, version=version)
    assert session.get_one(Tenant, world.tenant).settings == {"health": {}}


def with_values(limits: Thresholds, **values: Any) -> Thresholds:
    """Return *limits* with other values, also with such as their types do not allow."""
    return replace(limits, **values)


@pytest.mark.parametrize("name", list(MEANINGS))
def test_a_threshold_out_of_range_is_refused_with_its_field_named(session: Session, world: World, name: str) -> None:
    meaning = MEANINGS[name]
    room = replace(DEFAULTS, cap_warning=1, cap=100_000)
    for allowed in (meaning.least, meaning.most):
        thresholds.check(with_values(room, **{name: allowed}))
    for value in (meaning.least - 1, meaning.most + 1, float("nan"), float("inf"), None):
        with pytest.raises(InvalidInput, match=f"^{meaning.label}: ") as refused:
            tenant_settings.set_limits(session, world.admin, with_values(room, **{name: value}), version=1)
        assert refused.value.field == name
    assert limits(session, world.admin) == DEFAULTS


def test_the_warning_lies_below_the_cap_and_calls_are_whole(session: Session, world: World) -> None:
    for wrong, field in (
        (replace(DEFAULTS, cap_warning=100), "cap_warning"),
        (replace(DEFAULTS, cap=75), "cap_warning"),
        (with_values(DEFAULTS, cap=100.5), "cap"),
        (with_values(DEFAULTS, idle_calls=2.5), "idle_calls"),
    ):
        with pytest.raises(InvalidInput) as refused:
            tenant_settings.set_limits(session, world.admin, wrong, version=1)
        assert refused.value.field == field


def test_what_is_senseless_in_the_database_counts_as_the_default() -> None:
    stored = {"alarm": "high", "cap": True, "prior": -1, "flag_share": 7, "idle_calls": 5, "unknown": 1}
    assert thresholds.read({"health": stored}) == replace(DEFAULTS, idle_calls=5)
    assert thresholds.read({"health": None}) == thresholds.read({}) == DEFAULTS


def test_an_admin_sets_the_time_zone(session: Session, world: World) -> None:
    tenant_settings.set_time_zone(session, world.admin, "Asia/Kolkata", version=1)
    assert tenant_settings.get(session, world.viewer).time_zone == "Asia/Kolkata"
    for none in ("", "Mars/Base", "../etc/passwd"):
        with pytest.raises(InvalidInput) as refused:
            tenant_settings.set_time_zone(session, world.admin, none, version=2)
        assert refused.value.field == "time_zone"


def test_a_change_is_written_down_with_the_values_that_changed(session: Session, world: World) -> None:
    tenant_settings.set_limits(session, world.admin, replace(DEFAULTS, prior=30, cap=120), version=1)
    tenant_settings.set_limits(session, world.admin, replace(DEFAULTS, prior=30, cap=120), version=2)
    (row,) = audit.history(session, world.viewer, "tenant", world.tenant, Slice())
    assert (row.action, row.before, row.after) == (
        "settings:change",
        {"prior": 20, "cap": 100},
        {"prior": 30, "cap": 120},
    )


Save = Callable[[Session, Actor, int], object]
SAVES: dict[str, Save] = {
    "time zone": lambda session, actor, version: tenant_settings.set_time_zone(
        session, actor, "Europe/Berlin", version=version
    ),
    "thresholds": lambda session, actor, version: tenant_settings.set_limits(
        session, actor, replace(DEFAULTS, alarm=12), version=version
    ),
}


@pytest.mark.parametrize("save", SAVES)
def test_a_second_save_is_refused_and_told_what_changed(session: Session, world: World, save: str) -> None:
    tenants.change(session, world.superadmin, world.tenant, "Acme", "Asia/Kolkata", version=1)
    with pytest.raises(Conflict) as refused:
        SAVES[save](session, world.admin, 1)
    assert [row.after for row in refused.value.changes] == [{"time_zone": "Asia/Kolkata"}]
    SAVES[save](session, world.admin, 2)


def test_renaming_a_tenant_that_changed_meanwhile_is_refused(session: Session, world: World) -> None:
    SAVES["thresholds"](session, world.admin, 1)
    with pytest.raises(Conflict) as refused:
        tenants.change(session, world.everywhere, world.tenant, "Acme two", "UTC", version=1)
    assert [row.after for row in refused.value.changes] == [{"alarm": 12}]


@pytest.mark.parametrize("save", SAVES)
def test_only_admins_of_the_tenant_change_settings(session: Session, world: World, save: str) -> None:
    for actor in (world.operator, world.viewer, world.nowhere):
        with pytest.raises(Forbidden):
            SAVES[save](session, actor, 1)
    with pytest.raises(NotFound, match="Choose one tenant"):
        SAVES[save](session, world.everywhere, 1)
    SAVES[save](session, world.stranger, 1)
    assert session.get_one(Tenant, world.tenant).version == 1
    assert SAVES[save](session, world.superadmin, 1) == 2
