"""What the sandbox was asked to change, counted as it arrives."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from providers.sandbox.faults import Fault
from providers.sandbox.server import Sandbox


@dataclass
class Requests:
    """Requests to buy, and by SID those to change and to release."""

    purchases: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    releases: Counter[str] = field(default_factory=Counter)

    def add(self, method: str, path: str) -> None:
        """Count a request, if it is one of these."""
        resource = PurePosixPath(path)
        if resource.name == "IncomingPhoneNumbers.json" and method == "POST":
            self.purchases += 1
        elif resource.parent.name == "IncomingPhoneNumbers":
            {"POST": self.changes, "DELETE": self.releases}.get(method, Counter())[resource.stem] += 1


@contextmanager
def counted(sandbox: Sandbox) -> Iterator[Requests]:
    """Count the requests that reach *sandbox* in the block."""
    requests, take = Requests(), sandbox.faults.take

    def taking(method: str, path: str) -> Fault | None:
        requests.add(method, path)
        return take(method, path)

    sandbox.faults.take = taking  # type: ignore[method-assign]
    try:
        yield requests
    finally:
        sandbox.faults.take = take  # type: ignore[method-assign]
