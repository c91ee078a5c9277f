"""The ASGI entry: start-up, HTTP routes and headers around the Streamlit frame. Run it with `streamlit run app.py`."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread
import streamlit as st
import structlog
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

import db.engine
from components import http
from services import durable, health_api, sandbox, settings, setup


def health(_request: Request) -> JSONResponse:
    """Answer whether the app can serve: 200 with its database, or 503 when that is away."""
    try:
        with db.engine.open_session() as session:
            session.connection().exec_driver_sql("SELECT 1")
    except db.engine.DatabaseUnavailable:
        return JSONResponse({"status": "unavailable", "database": "unreachable"}, status_code=503)
    return JSONResponse({"status": "ok", "database": db.engine.current().dialect.name})


def log_error(exc: Exception) -> bool:
    """Log what a page did not expect, and tell the reader that it was not theirs."""
    structlog.get_logger().error("page.failed", exc_info=exc)
    st.error("Something went wrong on our side. It has been logged; try again, or tell your administrator.")
    return True


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Bring everything up before the first request."""
    config = settings.current()
    setup.start(config)
    with sandbox.running_for_demo(config):
        await anyio.to_thread.run_sync(durable.launch, config)  # it asks what is under way, which blocks
        gc.freeze()  # what start-up made stays; the collector need not look at it again
        yield
        await anyio.to_thread.run_sync(durable.stop)


app = st.App(
    str(Path(__file__).parent / "pages" / "frame.py"),
    lifespan=lifespan,
    routes=[Route("/api/health", health), Mount("/api/v1", health_api.api)],
    middleware=[Middleware(http.SecurityHeaders), Middleware(http.Uploads)],
    on_script_error=log_error,
)
