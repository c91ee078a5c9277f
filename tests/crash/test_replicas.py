"""Orders that nobody began, that another replica is driving, or whose replica died."""

from dataclasses import replace
from pathlib import Path

from sqlmodel import Session

import db.base.engine
import db.orders.queries
from db.base.scope import Scope
from db.models import OrderKind, OrderState
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from tests.crash import worker
from tests.crash.dying import Point
from tests.crash.rounds import Ground
from tests.crash.traffic import Requests
from tests.crash.verdict import judge
from tests.crash.worker import PATIENCE, Installation, Worker
from tests.world.ordering import none_open
from tests.world.waiting import until


def test_an_order_that_was_placed_but_never_begun_is_begun_by_the_next_start(
    session: Session, sandbox: Sandbox, installation: Installation, ground: Ground, sent: Requests
) -> None:
    ground.wish(OrderKind.PURCHASE).place()
    process = Worker(worker.start, installation)
    process.awaits("settled")
    process.kill()
    assert sent.purchases == 1
    assert judge(session, sandbox, sent, ground.given).is_clean


def test_a_starting_replica_leaves_alone_what_a_living_one_is_asking(
    session: Session, sandbox: Sandbox, installation: Installation, ground: Ground, sent: Requests
) -> None:
    # Late enough for the second one to look at least once.
    sandbox.fault(Fault(Kind.LATE, "POST", "IncomingPhoneNumbers", seconds=2))
    patient = replace(installation, settle_seconds=10)
    living = Worker(worker.order, patient, ground.wish(OrderKind.PURCHASE))
    living.awaits("ordered")
    until(lambda: sent.purchases == 1, PATIENCE)
    starting = Worker(worker.start, patient)
    starting.awaits("settled")
    living.awaits("over")
    living.kill()
    starting.kill()
    assert sent.purchases == 1
    assert judge(session, sandbox, sent, ground.given).is_clean


def test_orders_whose_replicas_died_are_settled_by_one_that_was_running_all_the_time(
    session: Session, sandbox: Sandbox, installation: Installation, ground: Ground, sent: Requests
) -> None:
    moments = [at for at, _ in ground.rehearse(OrderKind.PURCHASE)]
    living = Worker(worker.start, installation)
    living.awaits("worked")  # nothing is open yet
    for point in (Point.PLACED, Point.ASKED, Point.SENT, Point.DONE, Point.ANSWERED):
        dying = Worker(worker.order, installation, ground.wish(OrderKind.PURCHASE), moments.index(point))
        # The living one may take an order before the dying one does; then that one is killed a little later.
        while (said := dying.says()) is not None and said[0] != "over":
            pass
        dying.kill()
        assert dying.was_killed
    until(lambda: none_open(session), PATIENCE)
    living.kill()
    assert judge(session, sandbox, sent, ground.given).is_clean


def test_what_was_lost_is_given_up_though_two_replicas_look_in_turn(
    session: Session, sandbox: Sandbox, installation: Installation, ground: Ground, sent: Requests
) -> None:
    patient = replace(installation, settle_seconds=3)
    living = [Worker(worker.start, patient) for _ in range(2)]
    for process in living:
        process.awaits("worked")  # nothing is open yet
    sandbox.fault(Fault(Kind.DROP_BEFORE, "POST", "IncomingPhoneNumbers"))
    order_id = ground.wish(OrderKind.PURCHASE).place()
    until(lambda: none_open(session), PATIENCE)
    order = db.orders.queries.find_row(session, Scope(None), order_id)
    assert order
    assert order.state is OrderState.FAILED
    assert order.asked_at
    assert order.settled_at
    assert (order.settled_at - order.asked_at).total_seconds() > patient.settle_seconds
    for process in living:
        process.kill()
    assert judge(session, sandbox, sent, ground.given).is_clean


def test_a_database_that_is_busy_when_the_answer_comes_does_not_end_the_workflow(
    session: Session,
    sandbox: Sandbox,
    installation: Installation,
    ground: Ground,
    sent: Requests,
) -> None:
    sandbox.fault(Fault(Kind.LATE, "POST", "IncomingPhoneNumbers", seconds=0.5))
    hurried = replace(installation, busy_seconds=0.3)
    process = Worker(worker.order, hurried, ground.wish(OrderKind.PURCHASE))
    order_id = process.awaits("ordered")
    until(lambda: sent.purchases == 1, PATIENCE)
    db.base.engine.start_write(session)
    db.orders.queries.find(session, order_id)  # nobody else can change it now
    until(lambda: "order.not_driven" in Path(installation.log).read_text(), PATIENCE)
    session.rollback()
    process.awaits("over")
    process.kill()
    assert judge(session, sandbox, sent, ground.given).is_clean
