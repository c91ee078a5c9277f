"""The tenant audit as tables of text, for files and the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.audit.tenant_audit import Way
from db.base.money import Money
from db.numbers.attention import Attention
from db.people.users import UserRow
from services.audit import wording
from services.audit.tenant_audit import Changes, Cost, Line, Owned, Tenant
from services.connections import connection_tests
from services.connections.connections import provider_named
from services.text import labels, numbering
from services.text.exports import Table
from services.text.labels import amount


@dataclass(frozen=True)
class Report:
    """All that a report says about one tenant."""

    about: Tenant
    owned: Owned
    changes: Changes

    def at(self, moment: datetime | None) -> str:
        """Return a moment in the tenant's zone; `never` for none."""
        return moment.astimezone(self.about.zone).strftime("%-d %b %Y, %H:%M") if moment else "never"


def money(cost: Cost) -> str:
    """Return the monthly cost as text, by currency; `—` if none is known."""
    return " · ".join(labels.money(Money(total, currency)) for currency, total in cost.sums.items()) or "—"


def summary(report: Report) -> Table:
    """Return the report on one sheet."""
    about, owned, changes = report.about, report.owned, report.changes
    return Table(
        "Summary",
        ("What", "Value"),
        [
            ("Tenant", about.name),
            ("Created on", report.at(about.made_at)),
            ("Created by", about.made_by),
            ("Time zone", about.zone.key),
            ("First day of changes", changes.period.first.isoformat()),
            ("Last day of changes", changes.period.last.isoformat()),
            ("Numbers held", owned.numbers),
            *((f"Monthly cost, {currency}", total) for currency, total in owned.cost.sums.items()),
            ("Numbers without a known price", owned.cost.unpriced),
            ("Numbers whose webhooks are known", owned.webhooks_known),
            ("Users", len(owned.users)),
            ("Superadmins of the installation", owned.superadmins),
            ("Findings", len(owned.findings)),
            ("Changes in the period", changes.total),
        ],
    )


def findings(report: Report) -> Table:
    """Return what looks wrong, worst first."""
    rows = [(finding.what, finding.why) for finding in report.owned.findings]
    return Table("Findings", ("What looks wrong", "Why it matters"), rows or [("Nothing looks wrong.", "")])


def owned(report: Report) -> list[Table]:
    """Return what the tenant owns: by kind, by connection, by month."""
    owned = report.owned
    note = f"{amount(owned.numbers, 'number')} held. Monthly cost: {money(owned.cost)}; "
    note += f"{owned.cost.unpriced:,} have no known price."
    return [
        Table(
            "Owned",
            ("By", "Of", "Numbers"),
            [(by, of, n) for by, counts in kinds(owned).items() for of, n in counts],
            note,
        ),
        Table.of(
            "Connections",
            owned.connections,
            {
                "Connection": lambda line: line.connection or "None",
                "Provider": lambda line: provider_named(line.provider).name if line.provider else "—",
                "State": lambda line: {True: "Active", False: "Inactive", None: "—"}[line.is_active],
                "Last test": lambda line: _tested(line, report),
                "Numbers": lambda line: line.numbers,
                "Monthly cost": lambda line: money(line.cost),
                "Without price": lambda line: line.cost.unpriced,
            },
        ),
        Table.of(
            "Months",
            owned.months,
            {
                "Month": lambda month: f"{month.first:%b %Y}",
                "Added": lambda month: month.added,
                "Still held": lambda month: month.held,
                "Released or removed": lambda month: month.gone,
            },
        ),
    ]


def _tested(line: Line, report: Report) -> str:
    if line.test_passed is None:
        return "Never" if line.provider in connection_tests.testable() else "—"
    return f"{'Passed' if line.test_passed else 'Failed'} {report.at(line.tested_at)}"


def kinds(owned: Owned) -> dict[str, list[tuple[str, int]]]:
    """Return how many numbers there are of each status, provider, country, type and manager, in words."""
    facets = owned.facets

    def ranked(counts: Mapping[Any, int], named: Mapping[Any, str]) -> list[tuple[str, int]]:
        return sorted(((named[key], n) for key, n in counts.items() if n), key=lambda pair: (-pair[1], pair[0]))

    return {
        "Status": ranked(facets.statuses, labels.STATUS),
        "Provider": ranked(facets.providers, {key: provider_named(key).name for key in facets.providers}),
        "Country": ranked(facets.countries, {code: numbering.country_name(code) for code in facets.countries}),
        "Type": ranked(facets.types, labels.TYPE),
        "Managed by": ranked(facets.managed, labels.MANAGED),
    }


def samples(report: Report, kind: Attention) -> Table:
    """Return the newest numbers that need attention."""
    found = report.owned.attention[kind]
    return Table.of(
        labels.ATTENTION[kind],
        found.newest,
        {
            "Number": lambda number: numbering.display(number.e164),
            "Name": lambda number: number.label or "—",
            "Status": lambda number: labels.STATUS[number.status],
            "Connection": lambda number: number.connection or "—",
            "Agent": lambda number: number.agent or labels.UNASSIGNED,
        },
        f"{amount(found.n, 'number')}." if found.n <= len(found.newest) else f"The newest of {found.n:,} numbers.",
    )


def ways(report: Report) -> Table:
    """Return the unexpected webhooks."""
    return Table.of(
        "Unexpected webhooks",
        report.owned.ways,
        {
            "Connection": lambda way: way.connection,
            "Numbers": lambda way: way.n,
            "Set to": lambda way: " ".join(filter(None, (way.voice_url or "none", way.status_callback, how(way)))),
            "Expected by the connection": lambda way: (
                f"{way.wanted_voice_url or 'none'} {way.wanted_status_callback}".strip()
            ),
            "Set": lambda way: when_set(report, way),
        },
        webhooks_note(report.owned),
    )


def how(way: Way) -> str:
    """Return what keeps calls from reaching the Voice URL by POST; empty for nothing."""
    if way.routed_by:
        return f"routed by {way.routed_by}"
    return "" if way.voice_method == "POST" else f"sent by {way.voice_method}"


def when_set(report: Report, way: Way) -> str:
    """Return the period in which the webhooks of some numbers were set."""
    first, last = report.at(way.since), report.at(way.until)
    return first if first == last else f"{first} to {last}"


def webhooks_note(owned: Owned) -> str:
    """Return what the webhook findings are based on."""
    return (
        f"Based on the webhooks last set from Numberdesk ({amount(owned.webhooks_known, 'number')}). Open a number to "
        f"read the provider's values."
    )


def orders(report: Report) -> Table:
    """Return the open orders."""
    return Table.of(
        "Open orders",
        report.owned.orders,
        {
            "Order": lambda order: str(order.kind).capitalize(),
            "Number": lambda order: numbering.display(order.e164),
            "Connection": lambda order: order.connection,
            "Placed": lambda order: report.at(order.placed_at),
            "By": lambda order: order.placed_by,
            "Details": lambda order: order.problem or "—",
        },
    )


def users(report: Report) -> Table:
    """Return the users and their roles."""
    return Table.of(
        "Users",
        report.owned.users,
        {
            "User": lambda user: user.name,
            "Role": lambda user: labels.ROLE[user.places[0].role],
            "State": _state,
            "Last sign-in": lambda user: report.at(user.last_sign_in_at),
        },
        f"Also with full access: {amount(report.owned.superadmins, 'superadmin')} of the installation.",
    )


def _state(user: UserRow) -> str:
    if not user.is_active:
        return "Deactivated"
    return "Has a one-time password" if user.must_change_password else "Active"


def tallies(report: Report) -> list[Table]:
    """Return the number of changes by action and by person."""
    changes = report.changes
    note = f"{changes.period.text}."
    return [
        Table(
            "Changes by action",
            ("Action", "Changes"),
            [(wording.action(action), n) for action, n in changes.actions],
            note,
        ),
        Table("Changes by person", ("Person", "Changes"), changes.people, note),
    ]


def events(report: Report) -> Table:
    """Return the newest changes, each with its values before and after."""
    changes = report.changes
    count = len(changes.newest)
    return Table.of(
        "Changes",
        changes.newest,
        {
            "When": lambda event: report.at(event.at),
            "Who": lambda event: event.actor,
            "Action": wording.event_action,
            "What": lambda event: wording.subject(event) or wording.kind(event.subject_type),
            "Before and after": lambda event: "; ".join(
                change.text for change in wording.changes(event, report.about.zone)
            ),
        },
        f"The newest {count:,} of {changes.total:,}." if count < changes.total else "",
    )
