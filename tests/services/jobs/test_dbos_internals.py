"""What DBOS does not document still takes over what a dead process had begun, and nothing else."""

import threading

import pytest
from dbos import DBOS

from services.jobs import dbos_internals

PATIENCE = 10
"""Seconds after which nothing more is to be expected."""

_begun = threading.Semaphore(0)
_may_end = threading.Event()


@DBOS.workflow(name="tests.wait")
def _wait() -> None:
    _begun.release()
    _may_end.wait(PATIENCE)


@pytest.mark.usefixtures("engine")
def test_only_what_the_named_processes_began_goes_on_here() -> None:
    _may_end.clear()
    begun = DBOS.start_workflow(_wait)
    assert _begun.acquire(timeout=PATIENCE)
    beginner = DBOS.list_workflows(name="tests.wait", status="PENDING")[0].executor_id
    assert beginner
    dbos_internals.take_over(["somebody-else"])
    dbos_internals.take_over([beginner])
    assert _begun.acquire(timeout=PATIENCE)
    assert not _begun.acquire(blocking=False)  # for somebody else, nothing was begun
    _may_end.set()
    begun.get_result()
