"""The judgement of one number among the others of its pool, recounted by plain Python."""

import itertools
import math
from datetime import date

from db.models import CampaignHealth
from services.health import judgement
from services.health.statistics import BAD_SHARE, GOOD_SHARE, wilson


def recounted(facts: list[CampaignHealth], campaign: int, number: int) -> tuple[float, float, float]:
    """Return what the others had on the same days, the judged upper bound, and the evidence of a fall."""
    pool: dict[int, dict[date, CampaignHealth]] = {}
    for fact in facts:
        if fact.campaign_id == campaign and fact.attempts:
            pool.setdefault(fact.number_id, {})[fact.day] = fact

    excess: dict[date, list[tuple[float, float]]] = {}
    for own_days in pool.values():
        own_rate = sum(f.answered for f in own_days.values()) / sum(f.attempts for f in own_days.values())
        for day, f in own_days.items():
            deviation = math.sqrt(own_rate * (1 - own_rate))
            excess.setdefault(day, []).append((f.answered - f.attempts * own_rate, f.attempts * deviation))
    pairs = [pair for of_day in excess.values() for pair in itertools.permutations(of_day, 2)]
    together = sum(a[0] * b[0] for a, b in pairs)
    together += judgement.DOUBT * math.sqrt(2 * sum((a[0] * b[0]) ** 2 for a, b in pairs))
    pull = max(sum(a[1] * b[1] for a, b in pairs) / together, judgement.LEAST_PULL)

    def against(one: int) -> list[tuple[int, int, float, float]]:
        rest = [fact for other, days in pool.items() if other != one for fact in days.values()]
        usual = sum(f.answered for f in rest) / sum(f.attempts for f in rest)
        found = []
        for day, fact in sorted(pool[one].items()):
            same = [f for f in rest if f.day == day]
            n = sum(f.attempts for f in same) + pull
            q = (sum(f.answered for f in same) + pull * usual) / n
            found.append((fact.attempts, fact.answered, q, 1 + fact.attempts / n))
        return found

    every = {one: against(one) for one in pool}
    scatter = dict.fromkeys(pool, 0.0)
    for _ in range(judgement.ROUNDS):
        beyond, weight = dict.fromkeys(pool, 0.0), dict.fromkeys(pool, 0)
        for one, days in every.items():
            for n, k, q, unsure in days:
                more = 1 + (n - 1) * scatter[one]
                squared = (k - n * q) ** 2 / (n * q * (1 - q) * unsure)
                if n > 1:
                    beyond[one] += n * (more * min(squared / more, judgement.CALM) / 0.7421917 - 1)
                    weight[one] += n * (n - 1)
        all_beyond, all_weight = sum(beyond.values()), sum(weight.values())
        scatter = {
            one: min(max((all_beyond - beyond[one]) / (all_weight - weight[one]), 0), judgement.WIDEST_SCATTER)
            for one in pool
        }
    own = every[number]
    attempts, answered = sum(n for n, *_ in own), sum(k for _, k, *_ in own)
    expects = sum(n * q for n, _, q, _ in own) / attempts
    inflated = sum(n * (1 + (n - 1) * scatter[number]) for n, *_ in own) / attempts
    inflated *= 1 + attempts / sum(f.attempts for one, days in pool.items() if one != number for f in days.values())
    evidence = 0.0
    for n, k, q, unsure in own:
        more = max(1.0, (1 + (n - 1) * scatter[number]) * unsure / judgement.ROOM)
        good, bad = GOOD_SHARE * q, BAD_SHARE * q
        step = k * math.log(bad / good) + (n - k) * math.log((1 - bad) / (1 - good))
        evidence = max(0.0, evidence + step / more)
    return expects, float(wilson(answered / inflated, attempts / inflated)[1]), evidence
