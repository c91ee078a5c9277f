"""All undocumented parts of DBOS (3.4) that we use."""

from collections.abc import Sequence

from dbos import DBOS


def take_over(executor_ids: Sequence[str]) -> None:
    """Go on here with the workflows of other processes, which are dead.

    The documented ways ask for no owner, so they would begin those of the living twice.
    """
    DBOS._recover_pending_workflows(list(executor_ids))
