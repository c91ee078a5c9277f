"""The sandbox on the command line: `python -m providers.sandbox --port 8600 --state FILE`."""

import argparse
import socket
import sys
from contextlib import suppress
from pathlib import Path

from providers.sandbox.app import create_app
from providers.sandbox.server import HOST, SandboxServer


def main() -> None:
    """Serve until interrupted, after printing the address."""
    parser = argparse.ArgumentParser(prog="python -m providers.sandbox", description=__doc__)
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int, default=8600)
    parser.add_argument("--state", type=Path, default=Path("data/sandbox.db"), help="the SQLite file that it keeps")
    options = parser.parse_args()
    options.state.parent.mkdir(parents=True, exist_ok=True)
    with socket.create_server((options.host, options.port)) as listening:
        address = f"http://{options.host}:{listening.getsockname()[1]}"
        ready = f"Sandbox ready at {address}, state in {options.state}\n"

        def say() -> None:
            sys.stdout.write(ready)
            sys.stdout.flush()

        with suppress(KeyboardInterrupt):
            SandboxServer(create_app(options.state), say).run([listening])


if __name__ == "__main__":
    main()
