"""Is everything judged as the editions say? Windows, rules, scores and alerts of every prediction, one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.faults.checker.expected import Editions, Seen
from tests.faults.checker.facts import Facts
from tests.faults.checker.verdict import Verdict

#: Scores are float32 on the server and rounded to six digits in records.
TOLERANCE: Final = 1e-4
#: The contract lets a picture be late, says so on the prediction, and has the listing scored without it.
LATE_PICTURE: Final = "image_timeout"
#: Of so many predictions one may say that; these pictures come with their records.
LATE_PICTURES: Final = 1 / 10_000
#: Events whose alerts are looked up together.
_PREDICTIONS = """
select p.topic, p.part, p.off, p.ids, p.scores, p.rules, p.alerts, p.ruleset, p.policy,
  s.ident, s.words, s.writer, s.status, s.title_letters, s.picture, w.ids, w.writers, w.words, p.notes
from prediction p join source s on s.topic = p.topic and s.part = p.part and s.off = p.off
left join window w on p.topic = 'messages' and w.part = p.part and w.off = p.off
where s.poison is null
"""
_ALERTS = """
select domain, part, off, alert_id, ident, rules, models, ruleset, policy from alert
"""
_CANDIDATES = """
select s.topic, s.words, s.status, s.title_letters, s.picture, w.writers, w.words from source s
left join window w on s.topic = 'messages' and w.part = s.part and w.off = s.off where s.ident = ?
"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an alert: names of rules, and (model, version) pairs."""

    rules: frozenset[str]
    models: frozenset[tuple[str, int]]

    def __bool__(self) -> bool:
        return bool(self.rules or self.models)


def check_predictions(facts: Facts, editions: Editions, verdict: Verdict) -> None:
    """Every prediction has the oracle's window, exactly the rules and scores of its edition, and every alert implied."""
    for row in facts.database.execute(_PREDICTIONS):
        topic, part, off, ids, scores, rules, alerts, ruleset, policy, ident = row[:10]
        where = f"{topic}-{part}@{off}"
        if not editions.known(ruleset, policy):
            verdict.complain("unknown edition", f"{where} was judged by rules {ruleset} and policy {policy}")
            continue
        kind = "message" if topic == "messages" else "listing"
        late = bool(row[14]) and LATE_PICTURE in json.loads(row[18])
        verdict.counts["listings whose picture came too late"] += late
        seen = _seen(kind, row[10], row[12], row[13], row[14] and not late, row[16], row[17])
        right = row[15] if kind == "message" else json.dumps([ident])
        if json.loads(ids) != json.loads(right):
            verdict.complain("wrong window", f"{where}: judged with {ids}, the window is {right}")
        verdict.counts["windows compared"] += kind == "message"
        fired = [list(pair) for pair in editions.fired(seen, ruleset)]
        if json.loads(rules) != fired:
            verdict.complain("wrong rules", f"{where}: fired {rules}, must fire {fired}")
        models = _check_scores(where, json.loads(scores), seen, editions.champions(kind, policy), verdict)
        _check_alerts_of(facts, where, json.loads(alerts), seen, ruleset, models, editions, verdict)
    late_pictures = verdict.counts["listings whose picture came too late"]
    if late_pictures > 1 + LATE_PICTURES * verdict.counts["predictions"]:
        verdict.complain("pictures that were there came too late", f"{late_pictures} of them")


def check_alerts(facts: Facts, editions: Editions, verdict: Verdict) -> None:
    """Every alert is one that the edition it names implies for its event, with exactly that evidence."""
    for domain, part, off, _, ident, rules, models, ruleset, policy in facts.database.execute(_ALERTS):
        verdict.counts["alerts"] += 1
        where = f"alerts.{domain}-{part}@{off} of {ident}"
        if not editions.known(ruleset, policy):
            verdict.complain("unknown edition", f"{where} was raised by rules {ruleset} and policy {policy}")
            continue
        stated = [tuple(model) for model in json.loads(models)]
        if not any(
            _justified(seen, domain, json.loads(rules), stated, ruleset, policy, editions)
            for seen in _events_of(facts, ident)
        ):
            verdict.complain("alert not implied", f"{where}: {rules} {models} under {ruleset}, {policy}")


def _check_scores(
    where: str, scores: Sequence[dict[str, Any]], seen: Seen, champions: dict[str, Any], verdict: Verdict
) -> dict[str, tuple[str, int]]:
    """The models that speak for an alert, by domain."""
    raising: dict[str, tuple[str, int]] = {}
    if sorted(score["domain"] for score in scores) != sorted(champions):
        verdict.complain("wrong models", f"{where}: scored for {[s['domain'] for s in scores]}")
        return raising
    for score in scores:
        champion = champions[score["domain"]]
        named = (score["model"], int(score["version"]), score["threshold"])
        if named != (champion.model, champion.version, champion.threshold):
            verdict.complain("wrong models", f"{where}: {named}, the policy says {champion}")
        elif score["score"] is None:
            verdict.complain("no score", f"{where}: {named[0]}/{named[1]}: {score.get('failure')}")
        else:
            right = seen.score(champion.version)
            if abs(score["score"] - right) > TOLERANCE:
                verdict.complain("wrong score", f"{where}: {score['score']}, the window gives {right:.6f}")
            verdict.counts["scores worked out"] += 1
            if score["score"] >= champion.threshold:
                raising[score["domain"]] = (champion.model, champion.version)
    return raising


def _check_alerts_of(
    facts: Facts, where: str, stated: Sequence[str], seen: Seen, ruleset: str,
    models: dict[str, tuple[str, int]], editions: Editions, verdict: Verdict,
) -> None:  # fmt: skip
    implied = {
        domain: evidence
        for domain in editions.domains(seen.kind, ruleset)
        if (evidence := Evidence(
            frozenset(editions.raising(seen, ruleset, domain)),
            frozenset([models[domain]] if domain in models else []),
        ))
    }  # fmt: skip
    if len(stated) != len(implied):
        verdict.complain("wrong alerts", f"{where}: {len(stated)} alerts, implied are {sorted(implied)}")
    found: set[str] = set()
    for alert_id in stated:
        rows = facts.database.execute(
            "select domain, rules, models from alert where alert_id = ?", (alert_id,)
        ).fetchall()
        if not rows:
            verdict.complain("missing alert", f"{where}: alert {alert_id} was never written")
            continue
        domain = rows[0][0]
        found.add(domain)
        shown = Evidence(
            frozenset(rule for row in rows for rule in json.loads(row[1])),
            frozenset((m[0], m[1]) for row in rows for m in json.loads(row[2])),
        )
        if domain not in implied:
            verdict.complain("wrong alerts", f"{where}: an alert in {domain}, implied are {sorted(implied)}")
        elif not (implied[domain].rules <= shown.rules and implied[domain].models <= shown.models):
            verdict.complain(
                "missing evidence", f"{where}: {domain} shows {shown}, must show {implied[domain]}"
            )
    verdict.counts["alerts implied"] += len(implied)
    if len(stated) == len(implied) and found != set(implied) and len(found) == len(stated):
        verdict.complain("wrong alerts", f"{where}: alerts in {sorted(found)}, implied are {sorted(implied)}")


def _justified(
    seen: Seen, domain: str, rules: Sequence[str], models: Sequence[tuple[Any, ...]], ruleset: str, policy: str,
    editions: Editions,
) -> bool:  # fmt: skip
    """Rules must be all that fire. The model may be missing: while it is awaited the rules' alert goes out alone."""
    if list(rules) != editions.raising(seen, ruleset, domain):
        return False
    champion = editions.champions(seen.kind, policy).get(domain)
    for model, version, score, threshold in models:
        if champion is None or (model, version, threshold) != (
            champion.model,
            champion.version,
            champion.threshold,
        ):
            return False
        if score < threshold or abs(score - seen.score(version)) > TOLERANCE:
            return False
    return bool(rules or models)


def _events_of(facts: Facts, ident: str) -> Iterator[Seen]:
    """The wordings of one message or listing: itself, its edits, its repetitions."""
    for topic, words, status, letters, picture, writers, window_words in facts.database.execute(
        _CANDIDATES, (ident,)
    ):
        kind = "message" if topic == "messages" else "listing"
        for seen_picture in {picture, 0} if picture else {picture}:
            yield _seen(kind, words, status, letters, seen_picture, writers, window_words)


def _seen(
    kind: str, words: str, status: int | None, letters: int | None, picture: int | None, writers: int | None,
    window_words: str | None,
) -> Seen:  # fmt: skip
    return Seen(
        kind=kind,
        words=frozenset(words.split()),
        window_words=frozenset((window_words or "").split()),
        writers=writers or 0,
        status=status or 0,
        title_letters=letters or 0,
        picture=bool(picture),
    )
