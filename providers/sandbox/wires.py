"""The open sockets of the server: a fault can close one without an HTTP answer."""

import asyncio
import socket

from starlette.types import Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

_open: dict[object, asyncio.Transport] = {}


class WireProtocol(H11Protocol):
    """uvicorn's HTTP, which also remembers the socket."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own does
        super().connection_made(transport)
        # asyncio does this only for sockets whose protocol is given; without it each answer takes 40 ms longer.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _open[self.client, self.server] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _open.pop((self.client, self.server), None)
        super().connection_lost(exc)


async def cut(scope: Scope, receive: Receive) -> None:
    """Close the socket of the request and wait until it is closed."""
    transport = _open.get((scope["client"], scope["server"]))
    if transport is None:
        raise RuntimeError("A connection can be dropped only where providers.sandbox.server serves the app.")
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
