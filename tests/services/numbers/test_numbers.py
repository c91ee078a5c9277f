"""Phone numbers on record: found, changed, taken out; never across tenants, never unseen."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.base.engine
import db.campaigns
import db.numbers.queries
from db.base.engine import has_trigrams
from db.base.scope import Scope, Slice
from db.models import NumberStatus, PhoneNumber, PoolStatus
from db.numbers.matching import NumberQuery, Sort
from services.audit import audit
from services.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.numbers import numbers
from services.setup import builder
from services.text import numbering
from tests.conftest import World
from tests.world import make


def found(session: Session, actor: Any, text: str) -> list[str]:
    query = NumberQuery(search=numbering.search_text(text))
    rows = numbers.search(session, actor, query, Slice())
    assert numbers.count(session, actor, query) == len(rows)
    return [row.e164 for row in rows]


@pytest.mark.parametrize(
    "typed",
    ["+1 (415) 555-1212", "4155551212", "5551212", "1212", "415.555.1212", "+14155551212", "door"],
)
def test_search_understands_what_people_type(session: Session, world: World, typed: str) -> None:
    if typed == "door" and not has_trigrams(db.base.engine.current()):
        pytest.skip("the middle of a label needs pg_trgm, which this PostgreSQL has not")
    make.number(session, world, "+14155551212", label="Front door")
    make.number(session, world, "+442079460958", label="London")
    assert found(session, world.operator, typed) == ["+14155551212"]


def test_search_takes_a_national_number_with_its_trunk_zero(session: Session, world: World) -> None:
    make.number(session, world, "+442079460958")
    assert found(session, world.operator, "020 7946 0958") == ["+442079460958"]


@pytest.mark.parametrize(
    "typed", ['"', "%", "_", "100%", "a\\b", "' OR 1=1 --", "(", "*", "AND", "label:x", "\x00", "☎️ 5"]
)
def test_search_takes_signs_as_signs(session: Session, world: World, typed: str) -> None:
    make.number(session, world, label="Plain")
    assert found(session, world.operator, typed) in ([], ["+14155552671"] if typed == "\x00" else [])


@pytest.mark.parametrize("typed", ["5", "52", "Li"])
def test_search_by_fewer_than_three_characters_still_finds(session: Session, world: World, typed: str) -> None:
    make.number(session, world, label="Line")
    assert found(session, world.operator, typed) == ["+14155552671"]


def test_a_whole_number_comes_first_and_hides_neither_longer_ones_nor_labels(session: Session, world: World) -> None:
    make.number(session, world, "+4930123456")
    make.number(session, world, "+493012345678")
    make.number(session, world, "+14930123456")
    make.number(session, world, "+14155552671", label="4930123456 before")
    make.number(session, world, "+4930123457")
    for typed in (
        "+4930123456",
        "+49 (30) 123456",
        "0049 30 123456",
        "011 49 30 123456",
        "4930123456.0",
        "tel:+4930123456",
    ):
        assert found(session, world.operator, typed)[0] == "+4930123456"
        assert "+493012345678" in found(session, world.operator, typed)
    assert set(found(session, world.operator, "+4930123456")) == {
        "+4930123456",
        "+493012345678",
        "+14930123456",
        "+14155552671",
    }
    if has_trigrams(db.base.engine.current()):
        assert set(found(session, world.operator, "030 123456")) >= {"+4930123456", "+493012345678"}


def test_a_search_finds_every_reading_of_what_is_doubtful(session: Session, world: World) -> None:
    for e164 in ("+14792345678", "+4792345678", "+390236618300"):
        make.number(session, world, e164)
    assert set(found(session, world.operator, "4792345678")) == {"+14792345678", "+4792345678"}
    assert found(session, world.operator, "236618300") == found(session, world.operator, "02 3661 8300")
    assert found(session, world.operator, "8 (495) 123-45-67") == []


def test_search_never_crosses_tenants(session: Session, world: World) -> None:
    make.number(session, world, "+14155552671", label="Ours")
    make.number(session, world, "+14155552672", world.stranger, label="Theirs")
    assert found(session, world.operator, "+1415555") == ["+14155552671"]
    assert found(session, world.stranger, "+1415555") == ["+14155552672"]
    assert len(found(session, world.everywhere, "+1415555")) == 2


def test_every_filter_narrows_the_list_and_its_count(session: Session, world: World) -> None:
    first = make.number(session, world, "+14155552671", label="A", agent_id=world.agent)
    make.number(session, world, "+442079460958", label="B")
    numbers.set_tags_and_notes(session, world.operator, first, ["vip"], "", version=1)
    for query in (
        NumberQuery(agents=(world.agent,)),
        NumberQuery(countries=("US",)),
        NumberQuery(tags=("vip",)),
        NumberQuery(countries=("US", "FR"), managed=False),
        NumberQuery(agents=(world.agent, world.second_agent), connections=(world.sip,)),
    ):
        rows = numbers.search(session, world.viewer, query, Slice())
        assert [row.id for row in rows] == [first], query
        assert numbers.count(session, world.viewer, query) == 1, query
    for query in (
        NumberQuery(statuses=(NumberStatus.INACTIVE,)),
        NumberQuery(managed=True),
        NumberQuery(providers=("twilio",)),
        NumberQuery(connections=(world.twilio,)),
        NumberQuery(tags=("nothing",)),
    ):
        assert numbers.search(session, world.viewer, query, Slice()) == []
        assert numbers.count(session, world.viewer, query) == 0
    assert numbers.count(session, world.viewer, NumberQuery(agents=(None,))) == 1


def many(session: Session, world: World, amount: int) -> list[int]:
    """Put so many numbers on record at once, as `make.several` does one by one; return their ids."""
    row = {"tenant_id": world.tenant, "provider": "sip"}
    rows = (row | {"e164": f"+1415{5_550_000 + n}", "label": f"Line {n:04}"} for n in range(amount))
    builder.many(session, PhoneNumber, rows, commit=True)
    return list(session.scalars(sa.select(PhoneNumber.id).order_by(PhoneNumber.id)))


@pytest.mark.parametrize("sort", list(Sort))
def test_a_list_that_is_read_from_its_nearer_end_holds_every_number_once(
    session: Session, world: World, sort: Sort
) -> None:
    made = many(session, world, 1_350)
    pages = [numbers.search(session, world.viewer, NumberQuery(sort=sort), Slice(n, 300)) for n in range(1, 7)]
    assert [row.id for page in pages for row in page] == (made if sort is not Sort.NEWEST else made[::-1])


@pytest.mark.parametrize("sort", list(Sort))
def test_pages_hold_every_number_once_in_every_order(session: Session, world: World, sort: Sort) -> None:
    made = make.several(session, world, 7)
    query = NumberQuery(sort=sort)
    seen = [row.id for page in (1, 2, 3) for row in numbers.search(session, world.viewer, query, Slice(page, 3))]
    assert sorted(seen) == sorted(made)
    assert len(seen) == numbers.count(session, world.viewer, query)
    expected = made if sort is not Sort.NEWEST else made[::-1]
    assert seen == expected
    assert not numbers.search(session, world.viewer, query, Slice(4, 3))


def test_letters_of_any_alphabet_are_found_in_either_case_beside_filters(session: Session, world: World) -> None:
    wanted = make.number(session, world, "+14155552671", label="Übersee Ost")
    make.number(session, world, "+14155552672", label="Ubersee")
    query = NumberQuery(search=numbering.search_text("übersee"), providers=("sip",))
    assert numbers.count(session, world.viewer, query) == 1
    assert [row.id for row in numbers.search(session, world.viewer, query, Slice())] == [wanted]


def test_a_search_counts_no_further_than_its_limit(session: Session, world: World) -> None:
    many(session, world, db.numbers.queries.LOOKED_AT + 2)
    found = numbers.count(session, world.viewer, NumberQuery(search=numbering.search_text("Line")))
    assert found == db.numbers.queries.LOOKED_AT + 1


@pytest.mark.parametrize("forged", ["abc", "", None, "-1", "1.5", "²", "99999999999999999999", "1 or 1=1", 0])
def test_a_forged_id_is_not_available(session: Session, world: World, forged: object) -> None:
    with pytest.raises(NotFound, match="Resource not available"):
        numbers.get(session, world.operator, forged)


def test_another_tenants_number_is_not_available_in_any_way(session: Session, world: World) -> None:
    theirs = make.number(session, world, "+14155552672", world.stranger)
    with pytest.raises(NotFound) as theirs_refused:
        numbers.get(session, world.operator, theirs)
    with pytest.raises(NotFound) as absent_refused:
        numbers.get(session, world.operator, theirs + 1000)
    assert str(theirs_refused.value) == str(absent_refused.value)
    with pytest.raises(NotFound):
        numbers.rename(session, world.operator, theirs, "mine", version=1)
    assert audit.history(session, world.operator, "number", theirs, Slice()) == []
    assert numbers.get(session, world.stranger, theirs).label == ""


def test_each_change_is_written_down_with_before_and_after(session: Session, world: World) -> None:
    number = make.number(session, world, label="Old")
    version = numbers.rename(session, world.operator, number, "New", version=1)
    version = numbers.assign_agent(session, world.admin, number, world.agent, version=version)
    version = numbers.restrict_inbound(session, world.operator, number, ["US", "CA", "US"], version=version)
    version = numbers.set_tags_and_notes(session, world.operator, number, ["b", "A", "a "], "Hello", version=version)
    version = numbers.deactivate(session, world.operator, number, " Flagged as spam ", version=version)
    events = audit.history(session, world.viewer, "number", number, Slice())
    assert [(e.actor, e.action, e.before, e.after) for e in events[:5]] == [
        ("Operator", "numbers:deactivate", {"status": "active"}, {"status": "inactive", "reason": "Flagged as spam"}),
        ("Operator", "numbers:edit_tags_and_notes", {"tags": [], "notes": ""}, {"tags": ["A", "b"], "notes": "Hello"}),
        ("Operator", "numbers:restrict_inbound", {"allowed_inbound": []}, {"allowed_inbound": ["CA", "US"]}),
        ("Admin", "numbers:assign_agent", {"agent": None}, {"agent": "Maya"}),
        ("Operator", "numbers:rename", {"label": "Old"}, {"label": "New"}),
    ]
    assert events[-1].action == "numbers:add"
    assert events[0].version == version


def test_a_save_that_changes_nothing_leaves_no_trace(session: Session, world: World) -> None:
    number = make.number(session, world, label="Same")
    assert numbers.rename(session, world.operator, number, " Same ", version=1) == 1
    assert len(audit.history(session, world.viewer, "number", number, Slice())) == 1


def test_the_second_of_two_saves_is_refused_and_shows_what_changed(session: Session, world: World) -> None:
    number = make.number(session, world, label="Old")
    numbers.rename(session, world.admin, number, "First", version=1)
    with pytest.raises(Conflict) as refused:
        numbers.rename(session, world.operator, number, "Second", version=1)
    (change,) = refused.value.changes
    assert (change.actor, change.before, change.after) == ("Admin", {"label": "Old"}, {"label": "First"})
    assert numbers.get(session, world.viewer, number).label == "First"
    numbers.rename(session, world.operator, number, "Second", version=2)


@pytest.mark.parametrize(
    ("label", "reason"),
    [("x" * 200, "at most 64"), ("é" * 65, "at most 64")],
)
def test_a_label_that_is_too_long_is_refused(session: Session, world: World, label: str, reason: str) -> None:
    number = make.number(session, world, label="Kept")
    with pytest.raises(InvalidInput, match=reason):
        numbers.rename(session, world.operator, number, label, version=1)
    assert numbers.get(session, world.viewer, number).label == "Kept"


def test_a_label_takes_emoji_and_loses_control_characters(session: Session, world: World) -> None:
    number = make.number(session, world, label="☎️ Zürich\n\tdesk\x00")
    assert numbers.get(session, world.viewer, number).label == "☎️ Zürich desk"


def test_an_agent_must_be_active_and_of_the_tenant(session: Session, world: World) -> None:
    number = make.number(session, world)
    for agent in (world.other_agent, world.retired_agent, 10_000):
        with pytest.raises(InvalidInput):
            numbers.assign_agent(session, world.operator, number, agent, version=1)
    assert numbers.get(session, world.viewer, number).agent is None


def test_a_connection_must_be_active_and_bring_its_providers_fields(session: Session, world: World) -> None:
    number = make.number(session, world)
    for connection in (world.retired, world.other_sip, None):
        with pytest.raises(InvalidInput):
            numbers.set_connection(session, world.operator, number, connection, {}, version=1)
    with pytest.raises(InvalidInput, match="executive number"):
        numbers.set_connection(session, world.operator, number, world.mcube, {}, version=1)
    numbers.set_connection(session, world.operator, number, world.mcube, {"executive_number": "98765"}, version=1)
    seen = numbers.get(session, world.viewer, number)
    assert (seen.provider, seen.connection, seen.provider_fields) == ("mcube", "mCube", {"executive_number": "98765"})
    numbers.set_connection(session, world.operator, number, world.sip, {}, version=2)
    assert numbers.get(session, world.viewer, number).provider_fields == {}


@pytest.mark.parametrize("value", ["123", "1" * 16, "98-76", "abcd", ""])
def test_an_executive_number_has_4_to_15_digits(session: Session, world: World, value: str) -> None:
    number = make.number(session, world)
    numbers.set_connection(session, world.operator, number, world.mcube, {"executive_number": "+9876"}, version=1)
    with pytest.raises(InvalidInput):
        numbers.set_provider_fields(session, world.operator, number, {"executive_number": value}, version=2)


def test_countries_must_exist(session: Session, world: World) -> None:
    number = make.number(session, world)
    with pytest.raises(InvalidInput, match="XX"):
        numbers.restrict_outbound(session, world.operator, number, ["US", "XX"], version=1)


def test_a_viewer_changes_nothing(session: Session, world: World) -> None:
    number = make.number(session, world)
    for act in (numbers.activate, numbers.deactivate, numbers.remove, numbers.put_back):
        with pytest.raises(Forbidden):
            act(session, world.viewer, number, version=1)
    with pytest.raises(Forbidden):
        numbers.rename(session, world.viewer, number, "x", version=1)


def test_removing_takes_the_number_out_of_its_campaigns_and_keeps_the_record(session: Session, world: World) -> None:
    number = make.number(session, world)
    campaign = builder.campaign(session, world.tenant, "Spring", [number], primary_number_id=number)
    session.commit()
    (use,) = numbers.attachments(session, world.operator, number)
    assert (use.name, use.is_primary, use.in_pool) == ("Spring", True, True)

    numbers.remove(session, world.operator, number, version=1)

    assert numbers.count(session, world.operator, NumberQuery()) == 0
    assert numbers.count(session, world.operator, NumberQuery(statuses=(NumberStatus.REMOVED,))) == 1
    assert found(session, world.operator, "5552671") == ["+14155552671"]
    ((left, place),) = db.campaigns.with_number(session, Scope(world.tenant), number)
    assert left.primary_number_id is None
    assert place is not None
    assert place.pool_status is PoolStatus.REMOVED
    assert audit.history(session, world.viewer, "campaign", campaign.id, Slice())[0].before["primary_number"]
    with pytest.raises(Conflict, match="no longer in the workspace"):
        numbers.rename(session, world.operator, number, "x", version=2)


def test_a_removed_number_can_be_put_back_unless_it_was_added_again(session: Session, world: World) -> None:
    number = make.number(session, world)
    numbers.remove(session, world.operator, number, version=1)
    numbers.put_back(session, world.operator, number, version=2)
    assert numbers.get(session, world.viewer, number).status is NumberStatus.INACTIVE
    numbers.remove(session, world.operator, number, version=3)
    make.number(session, world, actor=world.stranger)
    with pytest.raises(Conflict, match="added again"):
        numbers.put_back(session, world.operator, number, version=4)


def test_kept_counts_equal_a_recount_after_every_kind_of_write(session: Session, world: World) -> None:
    first, second, *_ = make.several(session, world, 4)
    make.number(session, world, "+442079460958", world.stranger)
    numbers.deactivate(session, world.operator, first, version=1)
    numbers.remove(session, world.operator, second, version=1)
    facets = numbers.facets(session, world.everywhere)
    rows = numbers.search(session, world.everywhere, NumberQuery(), Slice())
    assert facets.statuses == {NumberStatus.ACTIVE: 3, NumberStatus.INACTIVE: 1, NumberStatus.REMOVED: 1}
    assert sum(facets.countries.values()) == len(rows) == numbers.count(session, world.everywhere, NumberQuery())
    assert facets.countries == {"US": 3, "GB": 1}
