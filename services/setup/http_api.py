"""The HTTP API: the addresses of every noun, and their OpenAPI document. `app.py` mounts it under `/api/v1`."""

from typing import Any

from fastapi import FastAPI

from services.health import api as health
from services.jobs import api as jobs
from services.numbers import api as numbers
from services.people import api_access

api = FastAPI(
    title="Numberdesk",
    version="1",
    description="Send campaign health, read the tenant's numbers, and change many at once.",
    docs_url=None,
    redoc_url=None,
)
api_access.refuse_in_words(api)
for _router in (health.router, numbers.router, jobs.router):
    api.include_router(_router)

_BODIES = (health.Facts, jobs.BulkChange)
"""Bodies that are read manually to bound their size."""


def _document() -> dict[str, Any]:
    """Return the OpenAPI document, with the schemas of the bodies that are read manually."""
    if api.openapi_schema is None:
        document = _generated()
        for model in _BODIES:
            body = model.model_json_schema(ref_template="#/components/schemas/{model}")
            document["components"]["schemas"] |= {**body.pop("$defs", {}), model.__name__: body}
        document["servers"] = [{"url": "/api/v1"}]
        api.openapi_schema = document
    return api.openapi_schema


_generated = api.openapi
api.openapi = _document  # type: ignore[method-assign]  # FastAPI's own way of extending the document
