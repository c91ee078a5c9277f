"""Rounds: somebody orders, the process dies, and later another one starts and finishes."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from sqlmodel import Session

from db.models import OrderKind
from providers.records import Webhooks
from providers.sandbox.accounts import MAIN
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from providers.sandbox.stock import held
from providers.sandbox.store import OwnedSeed, add_stock
from services.numbers import numbers
from services.orders import catalogue, orders
from services.orders.orders import Purchase
from tests.conftest import World
from tests.crash import worker
from tests.crash.dying import Point
from tests.crash.worker import Installation, Wish, Worker
from tests.world import ordering

KINDS = (OrderKind.PURCHASE, OrderKind.IMPORT, OrderKind.RELEASE, OrderKind.WEBHOOKS)
BATCH = 25
"""Rounds after which everything has to be finished."""

LONGEST_DELAY = 0.12
_THEIRS = "https://theirs.example.com/voice"
_WRITES = {OrderKind.PURCHASE: "POST", OrderKind.RELEASE: "DELETE"}


@dataclass(frozen=True)
class Death:
    """When the process of a round dies: at its n-th moment, or so many seconds after it began."""

    moment: int | None = None
    seconds: float = 0.0
    point: Point | None = None
    what: str = ""
    fault: Fault | None = None

    def __str__(self) -> str:
        when = f"after {self.seconds * 1000:.0f} ms" if self.moment is None else f"{self.point} ({self.what})"
        return f"{when}, sandbox {self.fault.kind} {self.fault.seconds}" if self.fault else when


@dataclass(frozen=True)
class Round:
    """What was ordered in a round, and how it died."""

    index: int
    wish: Wish
    death: Death

    def __str__(self) -> str:
        return f"round {self.index}: {self.wish.kind} of {self.wish.e164}, killed {self.death}"


class Ground:
    """The database, the sandbox and the numbers that rounds are played with."""

    def __init__(self, session: Session, world: World, sandbox: Sandbox, installation: Installation) -> None:
        self.session, self.world, self.sandbox, self.installation = session, world, sandbox, installation
        self.given: list[str] = []
        self._fresh = _fresh_numbers(sandbox)

    def wish(self, kind: OrderKind) -> Wish:
        """Return something of *kind* to order, about a number that no other round is about."""
        actor, connection = self.world.admin, self.world.twilio
        e164 = next(self._fresh)
        self.given.append(e164)
        if kind is OrderKind.PURCHASE:
            return Wish(kind, e164, actor, connection)
        if kind is OrderKind.IMPORT:
            sid = f"PN{int(e164[1:]):032x}"
            self.sandbox.seed_owned([OwnedSeed(e164, MAIN.sid, voice_url=_THEIRS, sid=sid)])
            return Wish(kind, e164, actor, connection, sid=sid, seen=Webhooks(voice_url=_THEIRS))
        order = orders.place_purchase(self.session, actor, connection, Purchase(e164))
        ordering.ask(order)
        self.session.rollback()  # to see what came of it
        number = numbers.get(self.session, actor, orders.get(self.session, actor, order).number_id)
        seen = catalogue.webhooks_now(self.session, actor, number.id)
        self.session.rollback()
        wanted = replace(seen, voice_url=f"https://new.example.com/{number.id}")
        return Wish(kind, e164, actor, connection, number.id, number.version, seen=seen, wanted=wanted)

    def rehearse(self, kind: OrderKind) -> list[tuple[Point, str]]:
        """Order something without dying, and return the moments at which one could have died."""
        process = Worker(worker.order, self.installation, self.wish(kind))
        moments: list[tuple[Point, str]] = process.awaits("over")
        process.kill()
        return moments

    def play(self, wish: Wish, death: Death) -> None:
        """Have a process order something and die."""
        if death.fault:
            self.sandbox.fault(death.fault)
        process = Worker(worker.order, self.installation, wish, death.moment)
        process.awaits("begins")
        if death.moment is None:
            time.sleep(death.seconds)  # this is the delay that is asked for; nothing is awaited
        else:
            while (said := process.says()) is not None and said[0] != "over":
                pass
        process.kill()
        self.sandbox.faults.clear()
        if not process.was_killed:
            raise ChildProcessError(f"{wish} failed before it could be killed; see the log")

    def recover(self, random: Random) -> None:
        """Start the app again, once to die in the midst of recovering and once to finish."""
        early = Worker(worker.start, self.installation)
        early.awaits("launched")
        time.sleep(random.uniform(0, 1.3))  # likewise
        early.kill()
        last = Worker(worker.start, self.installation)
        try:
            last.awaits("settled")
        except TimeoutError:
            pass  # what is still open is in the verdict
        finally:
            last.kill()


def draw(
    random: Random, amount: int, moments: dict[OrderKind, list[tuple[Point, str]]]
) -> Iterator[tuple[OrderKind, Death]]:
    """Yield *amount* deaths: of each kind in turn, every moment before any again, each other one at random."""
    decks: dict[OrderKind, list[int]] = {kind: [] for kind in KINDS}
    for index in range(amount):
        kind = KINDS[index % len(KINDS)]
        method = _WRITES.get(kind, "POST")
        if index // len(KINDS) % 2:
            fault = random.choice((None, Kind.DELAY, Kind.LATE))
            slow = Fault(fault, method, "IncomingPhoneNumbers", seconds=LONGEST_DELAY / 2) if fault else None
            yield kind, Death(seconds=random.uniform(0, LONGEST_DELAY), fault=slow)
            continue
        if not decks[kind]:
            decks[kind] = random.sample(range(len(moments[kind])), len(moments[kind]))
        moment = decks[kind].pop()
        point, what = moments[kind][moment]
        # What was sent before the death takes effect after it.
        late = Fault(Kind.LATE, method, "IncomingPhoneNumbers", seconds=0.1) if point is Point.SENT else None
        yield kind, Death(moment, point=point, what=what, fault=late)


def play_all(ground: Ground, amount: int, seed: int) -> list[Round]:
    """Play *amount* rounds and finish them; return what was played."""
    random = Random(seed)
    moments = {kind: ground.rehearse(kind) for kind in KINDS}
    played: list[Round] = []
    for kind, death in draw(random, amount, moments):
        played.append(Round(len(played), ground.wish(kind), death))
        ground.play(played[-1].wish, death)
        if len(played) % BATCH == 0 or len(played) == amount:
            ground.recover(random)
    return played


def summary(played: Sequence[Round]) -> str:
    """Return how many rounds there were of each kind and point."""
    kinds = Counter(str(one.wish.kind) for one in played)
    points = Counter(str(one.death.point) if one.death.point else "at random" for one in played)
    return "; ".join(", ".join(f"{word} {times}" for word, times in sorted(some.items())) for some in (kinds, points))


def _fresh_numbers(sandbox: Sandbox) -> Iterator[str]:
    """Yield numbers that nobody holds and no search shows."""
    for number in held("US", "local", 10**6):
        with sandbox.store.writing() as store:
            if store.execute("SELECT 1 FROM stock WHERE e164 = ?", (number.e164,)).fetchone():
                continue
            add_stock(store, [number], on_shelf=False)
        yield number.e164
