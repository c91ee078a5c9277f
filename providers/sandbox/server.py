"""The sandbox as a server: in a thread, or as a process of its own."""

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import uvicorn
from starlette.applications import Starlette

from providers.sandbox.app import create_app
from providers.sandbox.faults import Fault, Faults
from providers.sandbox.incoming import calls_reach
from providers.sandbox.store import OwnedSeed, Store
from providers.sandbox.wires import WireProtocol

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox; `url` is the `base_url` to connect with."""

    url: str
    store: Store
    faults: Faults

    def seed_owned(self, numbers: Iterable[OwnedSeed]) -> None:
        """Add *numbers* to their accounts, without a purchase and only once."""
        self.store.seed_owned(numbers)

    def calls_reach(self, e164: str) -> str:
        """Return where a call to *e164* would go: `POST https://…`, a trunk or application, or empty."""
        return calls_reach(self.store, e164)

    def fault(self, fault: Fault) -> None:
        """Switch *fault* on, as a POST to /faults does."""
        self.faults.add(fault)


class SandboxServer(uvicorn.Server):
    """A uvicorn that calls *ready* as soon as it accepts requests."""

    def __init__(self, app: Starlette, ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            http=WireProtocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


@contextmanager
def running(state: Path | None = None, *, port: int = 0) -> Iterator[Sandbox]:
    """Run the sandbox in a thread until the block ends; port 0 is any free one, without *state* it keeps nothing."""
    if state is None:
        with TemporaryDirectory(prefix="sandbox-") as folder, running(Path(folder) / "state.db", port=port) as sandbox:
            yield sandbox
        return
    app = create_app(state)
    ready = Event()
    with socket.create_server((HOST, port)) as listening:
        server = SandboxServer(app, ready.set)
        thread = Thread(target=server.run, args=([listening],), name="sandbox", daemon=True)
        thread.start()
        ready.wait()
        try:
            yield Sandbox(f"http://{HOST}:{listening.getsockname()[1]}", app.state.store, app.state.faults)
        finally:
            server.should_exit = True
            thread.join()
