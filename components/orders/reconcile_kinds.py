"""The kinds of difference that a comparison finds: how each is listed, and what can be done about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from components.orders.reconcile_dialogs import Confirming
from components.ui.listing.table import Column, number, number_link, text
from components.ui.markdown import code, plain
from services.connections.connections import provider_named
from services.core.access import Permission
from services.orders import webhook_orders
from services.orders.reconcile import Comparison, Different, Found, MissingHere, MissingThere
from services.text import numbering
from services.text.labels import amount

Row = TypeVar("Row", MissingHere, MissingThere, Different)
_URLS = [webhook_orders.NAMES[name] for name in webhook_orders.URLS]


@dataclass(frozen=True)
class Action(Generic[Row]):
    """What can be done with rows: the dialog that asks, its button before any is selected, and then with how many."""

    permission: Permission
    icon: str
    label: str
    label_of: str
    ask: Callable[[Confirming, Sequence[Row]], None]
    noun: str = "number"

    def named(self, rows: Sequence[Row]) -> str:
        """Return what the button says with *rows* selected: `Import`, then `Import 2 numbers`."""
        return self.label_of.format(amount(len(rows), self.noun)) if rows else self.label


@dataclass(frozen=True)
class Kind(Generic[Row]):
    """Numbers that differ in one way. `reason` is Markdown."""

    key: str
    title: str
    reason: str
    found: Found[Row]
    columns: Sequence[Column[Row]]
    action: Action[Row]


def line(row: MissingHere | MissingThere | Different) -> str:
    """Return what a line is about: a number, and the value of it where there is a line for each."""
    differences = row.differences if isinstance(row, Different) else ()
    return " ".join([row.e164, *(one.field for one in differences)])


def kinds(found: Comparison) -> list[Kind[Any]]:
    """Return what a comparison found, by kind."""
    provider = provider_named(found.connection.provider).name
    return [each(found, provider) for each in (_missing_there, _to_take_over, _webhooks, _missing_here)]


def _missing_there(found: Comparison, provider: str) -> Kind[MissingThere]:
    return Kind(
        "missing_there",
        "Only in Numberdesk",
        f"Released in {plain(provider)}'s console or moved to another account. Their records stay until you decide.",
        found.missing_there,
        [number_link(lambda row: row.number_id), text("label", "Label", lambda row: row.label or "—")],
        Action(
            Permission.NUMBERS_WRITE,
            ":material/link_off:",
            "Mark as released",
            "Mark {} as released",
            Confirming.releases,
        ),
    )


def _to_take_over(found: Comparison, provider: str) -> Kind[Different]:
    each = (replace(row, differences=(one,)) for row in found.different.rows for one in row.to_take_over)
    return Kind(
        "to_take_over",
        "Different label or SID",
        f"Renamed here or at {plain(provider)}; another SID means that the number was released and bought again.",
        Found(list(each)),
        [
            number_link(lambda row: row.number_id),
            text("what", "Value", lambda row: row.differences[0].name),
            text("ours", "Here", lambda row: row.differences[0].ours),
            text("theirs", f"At {provider}", lambda row: row.differences[0].theirs),
        ],
        Action(
            Permission.NUMBERS_WRITE,
            ":material/sync:",
            f"Use values from {provider}",
            f"Use {{}} from {provider}",
            Confirming.take_overs,
            "value",
        ),
    )


def _webhooks(found: Comparison, provider: str) -> Kind[Different]:
    ours = found.connection

    def there(name: str) -> Callable[[Different], str]:
        return lambda row: next((one.theirs for one in row.webhooks if one.name == name), "Same")

    def others(row: Different) -> str:
        return ", ".join(f"{one.name} {one.theirs}" for one in row.webhooks if one.name not in _URLS) or "Same"

    return Kind(
        "webhooks",
        "Different webhooks",
        f"Calls do not reach the connection's URLs. Expected: Voice URL {code(ours.voice_url or '—')}, status "
        f"callback {code(ours.status_callback_url or '—')}.",
        Found([row for row in found.different.rows if row.webhooks]),
        [
            number_link(lambda row: row.number_id),
            *(text(name, f"{name} at {provider}", there(name)) for name in _URLS),
            text("others", f"Methods and routing at {provider}", others),
        ],
        Action(
            Permission.NUMBERS_WRITE,
            ":material/webhook:",
            f"Send our webhooks to {provider}",
            f"Send our webhooks to {provider} for {{}}",
            Confirming.webhooks,
        ),
    )


def _missing_here(found: Comparison, provider: str) -> Kind[MissingHere]:
    columns: list[Column[MissingHere]] = [
        number("number", lambda row: numbering.display(row.e164)),
        text("label", f"Label at {provider}", lambda row: row.label or "—"),
        text("voice_url", "Voice URL now", lambda row: row.number.webhooks.voice_url or "—"),
    ]
    if any(row.why_not for row in found.missing_here.rows):
        columns.append(text("why_not", "Cannot be imported", lambda row: row.why_not or "—"))
    return Kind(
        "missing_here",
        f"Only in {provider}",
        "Bought elsewhere or never imported. Importing adds a number and replaces its webhooks with ours.",
        found.missing_here,
        columns,
        Action(Permission.NUMBERS_BUY, ":material/download:", "Import", "Import {}", Confirming.imports),
    )
