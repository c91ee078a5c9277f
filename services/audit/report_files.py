"""The tenant audit as files: an Excel workbook and a PDF, made from the same tables. Downloads are logged."""

from collections.abc import Callable, Iterator, Sequence

from sqlmodel import Session

import db.numbers.queries
from db.numbers.attention import Attention
from db.numbers.matching import NumberQuery
from services.audit import audit, report_tables, tenant_audit
from services.audit.audit import Action, Subject
from services.audit.report_tables import Report
from services.audit.tenant_audit import Period
from services.core.access import Actor, Permission, require
from services.core.transactions import writing
from services.text import exports, labels, pdf
from services.text.exports import Cell, Table

Writer = Callable[[Session, Actor, Period], bytes]
"""Creates a file of the chosen tenant's audit, with the changes of a period."""

_BATCH = 10_000  # each batch queries again what needs attention

MOST_EVENTS = 10_000
"""How many of the newest changes a workbook has; the activity log has all."""


def excel(session: Session, actor: Actor, during: Period) -> bytes:
    """Return the chosen tenant's audit as a workbook, with all its numbers."""
    require(actor, Permission.AUDIT_READ)
    require(actor, Permission.NUMBERS_EXPORT)
    report = _report(session, actor, during, "Excel", MOST_EVENTS)
    records = db.numbers.queries.walk(session, actor.scope, NumberQuery())
    return exports.workbook(
        [
            report_tables.summary(report),
            report_tables.findings(report),
            *report_tables.owned(report),
            Table("Attention", ("Why", *exports.NUMBERS_HEADER), _calling(session, actor, report)),
            report_tables.ways(report),
            exports.numbers(records, report.about.zone),
            report_tables.orders(report),
            report_tables.users(report),
            *report_tables.tallies(report),
            report_tables.events(report),
        ]
    )


def as_pdf(session: Session, actor: Actor, during: Period) -> bytes:
    """Return the audit of the chosen tenant as PDF."""
    require(actor, Permission.AUDIT_READ)
    report = _report(session, actor, during, "PDF", tenant_audit.NEWEST)
    about, zone = report.about, report.about.zone.key
    return pdf.render(
        pdf.Document(
            f"Tenant audit: {about.name}",
            (
                f"Created on {report.at(about.made_at)} by {about.made_by}. Times are in {zone}.",
                f"Changes from {during.text}; everything else is as of the time of creation.",
            ),
            [
                report_tables.findings(report),
                *report_tables.owned(report),
                *(
                    report_tables.samples(report, kind)
                    for kind, found in report.owned.attention.items()
                    if found.newest
                ),
                report_tables.ways(report),
                report_tables.orders(report),
                report_tables.users(report),
                *report_tables.tallies(report),
                report_tables.events(report),
            ],
            f"Tenant audit of {about.name}, {report.at(about.made_at)} {zone}",
        )
    )


def _report(session: Session, actor: Actor, during: Period, kind: str, newest: int) -> Report:
    """Create the report and log the download."""
    about = tenant_audit.tenant(session, actor)
    owned = tenant_audit.owned(session, actor, about)
    changes = tenant_audit.changes(session, actor, during, newest=newest)
    after = {"format": kind, "from": during.first.isoformat(), "to": during.last.isoformat()}
    with writing(session):
        audit.record(
            session, actor, Action.AUDIT_REPORT, Subject("tenant", about.id, about.name, about.id), after=after
        )
    return Report(about, owned, changes)


def _calling(session: Session, actor: Actor, report: Report) -> Iterator[Sequence[Cell]]:
    """Yield every number that needs attention, once for each reason."""
    zone, rules = report.about.zone, report.about.limits.rules
    for kind in Attention:
        query = NumberQuery(attention=(kind,), rules=rules)
        for row in db.numbers.queries.walk(session, actor.scope, query, _BATCH):
            yield (labels.ATTENTION[kind], *exports.number_cells(row, zone))
