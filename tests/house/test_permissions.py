"""Every public service asks for a permission before it does anything else."""

import ast

import pytest

from services.numbers.edits import Edit
from tests.analysis.asking import Services

UNASKED = {
    "it is how others ask, or what they ask with": {
        "core.access.require_tenant",
        "people.api_keys.holder",
        "people.api_keys.still_held",
        "people.sign_in.load_actor",
        "people.sign_in.reload_actor",
    },
    "it is how somebody signs in": {
        "people.sign_in.attempt",
        "people.sign_in.forget_failures",
        "people.sign_in.succeeded",
    },
    "anybody may do it with their own account": {
        "people.sign_in.choose_tenant",
        "people.sign_in.sign_out_everywhere",
        "people.users.change_own_password",
        "people.users.own_sign_ins",
    },
    "it is a part of a change, in a transaction that began with a permission": {
        "audit.audit.record",
        "audit.audit.record_all",
        "core.changes.expect_version",
        "core.changes.free_name",
        "core.changes.log",
        "campaigns.campaigns.put",
        "campaigns.campaigns.with_places",
        "core.transactions.has_written",
        "core.transactions.reading",
        "core.transactions.write",
        "core.transactions.writing",
        "core.transactions.writing_within",
        "core.validation.agent",
        "core.validation.connection",
        "jobs.imports.log",
        "jobs.jobs.start_within",
        "numbers.edits.retire",
        "numbers.edits.write",
        "numbers.numbers.words",
    },
    "an import calls it, which asked for the permission of its kind": {
        "health.health_import.HealthImport.reader",
        "health.health_import.HealthImport.write",
        "jobs.imports.ImportKind.reader",
        "jobs.imports.ImportKind.write",
        "jobs.imports.RowReader.claim",
        "jobs.imports.RowReader.judge",
        "numbers.import_rows.NumberReader.__init__",
        "numbers.import_rows.NumberReader.claim",
        "numbers.import_rows.NumberReader.judge",
        "numbers.number_import.NumberImport.reader",
    },
    "it tells what the caller sees already": {
        "jobs.import_jobs.may_mend",
        "jobs.jobs.may_cancel",
        "jobs.jobs.may_see",
        "jobs.jobs.may_undo",
        "orders.orders.may_cancel",
    },
    "a service that makes the change asked for its permission": {
        "numbers.edits.Edit.begin",
        *(f"{kind.__module__.removeprefix('services.')}.{kind.__name__}.begin" for kind in Edit.__subclasses__()),
    },
    "the engine of jobs calls it, once it has loaded anew who started the job": {
        "health.call_log_jobs.ReadingCallLog.do",
        "health.call_log_jobs.ReadingCallLog.end",
        "jobs.import_kinds.Importing.end",
        "jobs.import_kinds.counts",
        "jobs.kinds.JobKind.do",
        "jobs.kinds.JobKind.end",
        "jobs.kinds.JobKind.follow",
        "jobs.kinds.JobKind.grow",
        "orders.bulk.Importing.place",
        "orders.bulk.Ordering.follow",
        "orders.bulk.Ordering.place",
        "orders.bulk.Releasing.place",
        "orders.bulk.RestoringWebhooks.place",
        "jobs.drafts.add",
        "orders.comparing.Comparing.do",
        "orders.comparing.Comparing.end",
        "orders.comparing.Comparing.looking",
        "orders.reconcile_jobs.Verifying.looking",
    },
    "it follows from an order, which asked when it was placed": {
        "orders.confirmations.confirm",
        "orders.fulfilment.carry_on",
        "orders.fulfilment.drive",
        "orders.transitions.change",
        "orders.transitions.close",
    },
    "the engine of long work runs it, for nobody in particular": {
        "health.call_logs.start_due",
        "health.summaries.add_up",
        "orders.comparisons.due",
        "orders.comparisons.start_scheduled",
        "people.sign_in.on_schedule",
        "health.summary_lines.Summing.finish",
        "jobs.replicas.Replica.beat",
        "jobs.replicas.Replica.forget",
        "jobs.replicas.Replica.silent",
        "jobs.workflows.await_outcome",
    },
    "whoever may start the app runs it": {
        "connections.connections.rotate_key",
        "jobs.liveness.report",
        "setup.builder.agent",
        "setup.builder.campaign",
        "setup.builder.connection",
        "setup.builder.fact",
        "setup.builder.many",
        "setup.builder.number",
        "setup.builder.order",
        "setup.builder.pooled",
        "setup.builder.tenant",
        "setup.builder.user",
        "setup.commands.create_superadmin",
        "setup.demo.fill",
        "setup.demo.is_wanted",
        "setup.sandbox.running_for_demo",
        "setup.startup.start",
    },
}
"""Why a public function of a service asks for no permission, or not first: each is named here."""

IMPORTS = """
import db.numbers.queries
from db.base.engine import open_session
from services.core.access import Permission, require
from services.numbers import numbers
"""


@pytest.fixture(scope="module")
def services() -> Services:
    return Services()


def test_every_public_service_asks_for_a_permission_before_anything_else(services: Services) -> None:
    named = {f"services.{name}" for names in UNASKED.values() for name in names}
    unasked = {one.name for one in services.reaching() if not one.asks}
    assert not unasked - named, "Begin with require(actor, ...), or say in UNASKED why not"
    assert not named - unasked, "These ask first, or are gone: take them out of UNASKED"


def test_most_services_ask(services: Services) -> None:
    assert sum(one.asks for one in services.reaching()) > 100


@pytest.mark.parametrize(
    "text",
    [
        "def do(session, actor): require(actor, Permission.NUMBERS_READ)",
        "def do(session, actor):\n    '''Do.'''\n    require(actor, Permission.NUMBERS_READ)",
        "async def do(session, actor): require(actor, Permission.NUMBERS_READ)",
        "def do(session, actor): return numbers.count(session, actor, None)",
        "def do(session, actor): return len(numbers.search(session, actor=actor))",
        "def do(session, actor): return [row for row in numbers.search(session, actor, None)]",
        "def do(session, actor):\n    def later(): pass\n    return other(session, actor, later)\n"
        "def other(session, actor, then): require(actor, Permission.NUMBERS_READ)",
    ],
)
def test_a_service_that_asks_first_is_seen(text: str) -> None:
    assert _of(text)["do"]


@pytest.mark.parametrize(
    "text",
    [
        "def do(session, actor): pass",
        "def do(session, actor): session.commit(); require(actor, Permission.NUMBERS_READ)",
        "def do(session, actor):\n    def ask(): require(actor, Permission.NUMBERS_READ)\n    session.commit()",
        "def do(session, actor): ask = lambda: require(actor, Permission.NUMBERS_READ)",
        "def do(session, actor):\n    if False: require(actor, Permission.NUMBERS_READ)",
        "def do(session, actor): False and require(actor, Permission.NUMBERS_READ)",
        "def do(session, actor): return None if session else require(actor, Permission.NUMBERS_READ)",
        "def do(session, actor):\n    try: require(actor, Permission.NUMBERS_READ)\n    except Exception: pass",
        "def do(session, actor): require(session.delete(actor), Permission.NUMBERS_READ)",
        "def do(session, actor): require(SYSTEM, Permission.NUMBERS_READ)",
        "def do(session, actor): numbers.count(session, SYSTEM, None)",
        "def do(session, actor): numbers.count(*session.scalars(), actor)",
        "def do(session, actor): numbers.change(session, actor, db.numbers.queries.find(session, 1))",
        "def do(session, actor): return (require(actor, Permission.NUMBERS_READ) for _ in range(1))",
        "def do(session, actor, require): require(actor, Permission.NUMBERS_READ)",
        "def do(session, actor):\n    def require(*_): pass\n    require(actor, Permission.NUMBERS_READ)",
        "def require(*_): pass\ndef do(session, actor): require(actor, Permission.NUMBERS_READ)",
        "def do(session, actor): return do(session, actor)",
        "def do(session, actor):\n    @session.run\n    def now(): pass\n    require(actor, Permission.NUMBERS_READ)",
        "def do(*, session): return session.scalars()",
        "def do(order_id):\n    with open_session() as other: other.commit()",
        "def do(order_id): return db.numbers.queries.count(order_id)",
        "do = db.numbers.queries.count",
        "do = lambda session, actor: db.numbers.queries.count(session)",
        "if True:\n    def do(session, actor): pass",
    ],
)
def test_a_service_that_asks_late_or_not_is_found(text: str) -> None:
    assert not _of(text)["do"]


def test_methods_are_services_too() -> None:
    found = _of(
        "class Desk:\n    def __init__(self, session): pass\n    def do(self, session): pass\n    def _do(self): pass"
    )
    assert set(found) == {"Desk.__init__", "Desk.do"}


def test_what_needs_no_data_asks_for_nothing() -> None:
    assert not _of("def count(rows): return len(rows)\nLARGEST = 3\ndef _hidden(session): pass")


def _of(text: str) -> dict[str, bool]:
    """Return what a service would be found to be that holds *text*."""
    ast.parse(text)
    found = Services(tried=f"{IMPORTS}\n{text}").reaching("services.tried")
    return {one.name.removeprefix("services.tried."): one.asks for one in found}
