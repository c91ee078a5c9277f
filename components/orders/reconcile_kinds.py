"""The kinds of difference that a comparison finds: how each is listed, and what can be done about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from components.orders.reconcile_dialogs import Confirming
from components.ui.listing.table import Column, number, number_link, text
from components.ui.markdown import code, plain
from db.orders.comparisons import Section
from providers.base import Capability
from services.connections.connections import provider_named
from services.core.access import Permission
from services.orders import webhook_orders
from services.orders.comparisons import Comparison
from services.orders.reconcile import Drift
from services.text import labels, numbering
from services.text.labels import amount

_URLS = [webhook_orders.NAMES[name] for name in webhook_orders.URLS]


@dataclass(frozen=True)
class Action:
    """What can be done with rows: the dialog that asks, its button before any is selected, and then with how many."""

    permission: Permission
    icon: str
    label: str
    label_of: str
    ask: Callable[[Confirming, Sequence[Drift]], None]
    noun: str = "number"

    def named(self, chosen: int) -> str:
        """Return what the button says with so many rows selected: `Import`, then `Import 2 numbers`."""
        return self.label_of.format(amount(chosen, self.noun)) if chosen else self.label


@dataclass(frozen=True)
class Kind:
    """A section: numbers that differ in one way, how many are listed, and their columns. `reason` is Markdown."""

    section: Section
    title: str
    reason: str
    total: int
    columns: Callable[[Sequence[Drift]], list[Column[Drift]]]
    actions: tuple[Action, ...]


def kinds(found: Comparison) -> list[Kind]:
    """Return what a comparison found, by kind."""
    name = provider_named(found.connection.provider).name
    return [each(found, name) for each in (_only_here, _labels, _sids, _webhooks, _only_there)]


def _only_here(found: Comparison, provider: str) -> Kind:
    return Kind(
        Section.ONLY_HERE,
        labels.SECTION[Section.ONLY_HERE],
        f"Released in {plain(provider)}'s console or moved to another account. Their records stay until you decide.",
        found.open[Section.ONLY_HERE],
        lambda _rows: [number_link(lambda row: row.number_id), text("label", "Label", lambda row: row.label or "—")],
        (
            Action(
                Permission.NUMBERS_WRITE,
                ":material/link_off:",
                "Mark as released",
                "Mark {} as released",
                Confirming.releases,
            ),
        ),
    )


def _values(provider: str) -> Callable[[Sequence[Drift]], list[Column[Drift]]]:
    return lambda _rows: [
        number_link(lambda row: row.number_id),
        text("ours", "Here", lambda row: row.differences[0].ours),
        text("theirs", f"At {provider}", lambda row: row.differences[0].theirs),
    ]


def _taking(provider: str, noun: str) -> Action:
    return Action(
        Permission.NUMBERS_WRITE,
        ":material/sync:",
        f"Use {noun}s from {provider}",
        f"Use {{}} from {provider}",
        Confirming.take_overs,
        noun,
    )


def _labels(found: Comparison, provider: str) -> Kind:
    sending = Action(
        Permission.NUMBERS_WRITE,
        ":material/upload:",
        f"Send labels to {provider}",
        f"Send {{}} to {provider}",
        Confirming.labels,
        "label",
    )
    can_send = provider_named(found.connection.provider).can(Capability.SET_LABEL)
    return Kind(
        Section.LABEL,
        labels.SECTION[Section.LABEL],
        f"Renamed here or at {plain(provider)}.",
        found.open[Section.LABEL],
        _values(provider),
        (_taking(provider, "label"), *([sending] if can_send else [])),
    )


def _sids(found: Comparison, provider: str) -> Kind:
    return Kind(
        Section.SID,
        labels.SECTION[Section.SID],
        "The number was released and bought again. Use the new SID before anything else.",
        found.open[Section.SID],
        _values(provider),
        (_taking(provider, "SID"),),
    )


def _webhooks(found: Comparison, provider: str) -> Kind:
    ours = found.connection

    def there(name: str) -> Callable[[Drift], str]:
        return lambda row: next((one.theirs for one in row.differences if one.name == name), "Same")

    def others(row: Drift) -> str:
        return ", ".join(f"{one.name} {one.theirs}" for one in row.differences if one.name not in _URLS) or "Same"

    return Kind(
        Section.WEBHOOKS,
        labels.SECTION[Section.WEBHOOKS],
        f"Those at {plain(provider)} are not the connection's. Expected: Voice URL {code(ours.voice_url or '—')}, "
        f"status callback {code(ours.status_callback_url or '—')}.",
        found.open[Section.WEBHOOKS],
        lambda _rows: [
            number_link(lambda row: row.number_id),
            *(text(name, f"{name} at {provider}", there(name)) for name in _URLS),
            text("others", f"Methods and routing at {provider}", others),
        ],
        (
            Action(
                Permission.NUMBERS_WRITE,
                ":material/webhook:",
                f"Send our webhooks to {provider}",
                f"Send our webhooks to {provider} for {{}}",
                Confirming.webhooks,
            ),
        ),
    )


def _only_there(found: Comparison, provider: str) -> Kind:
    def columns(rows: Sequence[Drift]) -> list[Column[Drift]]:
        shown: list[Column[Drift]] = [
            number("number", lambda row: numbering.display(row.e164)),
            text("label", f"Label at {provider}", lambda row: row.label or "—"),
            text("voice_url", "Voice URL now", lambda row: row.number.webhooks.voice_url or "—"),
        ]
        if any(row.why_not for row in rows):
            shown.append(text("why_not", "Cannot be imported", lambda row: row.why_not or "—"))
        return shown

    return Kind(
        Section.ONLY_THERE,
        f"Only in {provider}",
        "Bought elsewhere or never imported. Importing adds a number and replaces its webhooks with ours.",
        found.open[Section.ONLY_THERE],
        columns,
        (Action(Permission.NUMBERS_BUY, ":material/download:", "Import", "Import {}", Confirming.imports),),
    )
