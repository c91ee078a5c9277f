"""The audit log in words: every action, every kind of thing, every value."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db.audit.queries import AuditRow
from services.audit import wording
from services.audit.audit import Action

TOKYO = ZoneInfo("Asia/Tokyo")


def told(before: dict[str, Any], after: dict[str, Any], subject: str = "Thing") -> list[str]:
    at = datetime(2026, 5, 4, tzinfo=UTC)
    row = AuditRow(1, at, "Olga", "numbers:rename", "number", 1, subject, None, before, after, None, None)
    return [change.text for change in wording.changes(row, TOKYO)]


@pytest.mark.parametrize("action", list(Action))
def test_every_action_has_words_of_its_own(action: Action) -> None:
    words = wording.action(action)
    assert words != action
    assert ":" not in words
    (options,) = wording.action_options([action]).values()
    assert options.endswith(words)


def test_no_two_actions_have_the_same_words() -> None:
    options = wording.action_options(list(Action))
    assert len(set(options.values())) == len(Action)
    assert len({wording.action(action) for action in Action}) == len(Action)


def test_actions_of_one_noun_stand_together_and_unknown_ones_are_not_offered() -> None:
    nouns = [words.split(":")[0] for words in wording.action_options(list(Action)).values()]
    assert len(set(nouns)) == sum(one != other for one, other in zip(nouns, ["", *nouns], strict=False))
    assert wording.action_options(["stars:fall"]) == {}
    assert wording.action("stars:fall") == "stars:fall"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"label": "Sales"}, {"label": "Support"}, ["Label: Sales → Support"]),
        ({"label": "Sales"}, {"label": ""}, ["Label: Sales → —"]),
        ({"agent": None}, {"agent": "Maya"}, ["Inbound call agent: Unassigned → Maya"]),
        ({"status": "active"}, {"status": "inactive"}, ["Status: Active → Inactive"]),
        ({"status": "paused"}, {"status": "ended"}, ["Status: Paused → Ended"]),
        ({"allowed_inbound": []}, {"allowed_inbound": ["DE"]}, ["Allowed inbound countries: no restriction → Germany"]),
        (
            {"allowed_outbound": ["DE", "FR"]},
            {"allowed_outbound": ["FR", "US", "GB"]},
            ["Allowed outbound countries: added United States, United Kingdom, removed Germany"],
        ),
        ({"tags": ["a", "b"]}, {"tags": ["a"]}, ["Tags: removed b"]),
        ({"default_country": "IN"}, {"default_country": None}, ["Default country: India → —"]),
        ({"provider": "twilio"}, {"provider": "mcube"}, ["Provider: Twilio → mCube"]),
        ({"provider_sid": "PN1"}, {"provider_sid": "PN2"}, ["SID: PN1 → PN2"]),
        (
            {"provider_fields": {"executive_number": "98"}},
            {"provider_fields": {}},
            ["Executive number: 98 → —"],
        ),
        ({}, {"provider_fields": {"executive_number": "98"}}, ["Executive number: 98"]),
        ({"auth_token": "set"}, {"auth_token": "replaced"}, ["Auth token: set → replaced"]),
        ({"primary_number": None}, {"primary_number": "+14155552671"}, ["Primary number: — → +1 415 555 2671"]),
        (
            {"+14155552671": "active"},
            {"+14155552671": "spam_flagged, weight 1.5"},
            ["+1 415 555 2671: Active → Spam-flagged, weight 1.5"],
        ),
        ({"22345678": None}, {"22345678": "active"}, ["22345678: not in the pool → Active"]),
        (
            {"pool_status": "active", "number": "+14155552671"},
            {"pool_status": "removed", "number": "+14155552671"},
            ["Number: +1 415 555 2671", "Pool status: Active → Removed"],
        ),
        ({"role": None}, {"role": "viewer"}, ["Role: no role → Viewer"]),
        ({"role": "viewer"}, {"role": None}, ["Role: Viewer → no role"]),
        ({"active": True}, {"active": False}, ["Active: Yes → No"]),
        ({}, {"passed": False, "result": "No."}, ["Passed: No", "Result: No."]),
        ({}, {"price": "1.15", "currency": "USD"}, ["Price: $1.15 a month"]),
        ({}, {"price": "0.0085 EUR"}, ["Price: €0.0085 a month"]),
        ({}, {"price": None, "currency": None, "problem": None}, []),
        ({}, {"kind": "webhooks", "state": "unknown"}, ["Order: Webhook change", "Outcome: Pending confirmation"]),
        (
            {},
            {"added": 12345, "refused": 0, "first_day": "2026-05-04"},
            ["Rows added: 12,345", "Rows refused: 0", "First day: 4 May 2026"],
        ),
        (
            {"status": "active"},
            {"status": "released", "buy_back_until": "2026-05-04T20:00:00+00:00"},
            ["Status: Active → Released", "Can be bought back until: 5 May 2026, 05:00 JST"],
        ),
        (
            {"voice_url": "https://a", "routed_by": "x"},
            {"voice_url": "https://b"},
            ["Voice URL: https://a → https://b"],
        ),
        ({"name": "Thing", "status": "active"}, {}, ["Status: was Active"]),
        ({}, {"name": "Thing", "status": "active"}, ["Status: Active"]),
        ({}, {"filters": {"sort": "newest"}}, ["Filters: none"]),
        (
            {},
            {"filters": {"statuses": ["active"], "agents": ["Maya", "Unassigned"], "managed": "False", "search": "1"}},
            ["Filters: status Active; agent Maya, Unassigned; managed by BYOT; search 1"],
        ),
        (
            {},
            {"filters": {"actions": ["numbers:rename"], "kinds": ["order"], "since": "2026-05-03T15:00:00+00:00"}},
            ["Filters: action changed the label; kind Order; from 4 May 2026, 00:00 JST"],
        ),
        ({}, {"never_heard_of": "x"}, ["Never heard of: x"]),
    ],
)
def test_values_are_told_in_words(before: dict[str, Any], after: dict[str, Any], words: list[str]) -> None:
    assert told(before, after) == words


def test_fields_come_in_the_same_order_whatever_the_database_keeps() -> None:
    values = {"tags": ["a"], "status": "active", "auth_token": "set", "label": "Sales"}
    turned = dict(reversed(values.items()))
    assert told({}, values) == told({}, turned) == ["Label: Sales", "Status: Active", "Tags: a", "Auth token: set"]
