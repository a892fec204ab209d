"""Are repetitions harmless? What is written twice says the same twice, under the same alert id."""

from __future__ import annotations

from tests.faults.checker.facts import Facts
from tests.faults.checker.verdict import Verdict

_SAME_EVENT = """
select topic, part, off, count(*), count(distinct subject || content || ids || event_at) from prediction
  group by topic, part, off having count(*) > 1
"""
_SAME_EDITION = """
select topic, part, off, count(*), count(distinct digest) from prediction
  group by topic, part, off, ruleset, policy, notes like '%"image_%' having count(*) > 1
"""
_SAME_ALERT = """
select alert_id, count(*), count(distinct lasting) from alert group by alert_id having count(*) > 1
"""
_SAME_EVIDENCE = """
select alert_id, count(*), count(distinct digest) from alert
  group by alert_id, ruleset, policy, rules, models having count(*) > 1
"""
_ID_OF = """
select min(p.topic || '-' || p.part || '@' || p.off), a.domain, count(distinct a.alert_id)
  from prediction p, json_each(p.alerts) stated join (select distinct alert_id, domain from alert) a
  on a.alert_id = stated.value group by p.subject, p.content, a.domain having count(distinct a.alert_id) > 1
"""
_SUBJECT_OF = """
select stated.value, count(distinct p.subject || p.content) from prediction p, json_each(p.alerts) stated
  group by stated.value having count(distinct p.subject || p.content) > 1
"""


def check_repetitions(facts: Facts, verdict: Verdict) -> None:
    """The same event gives the same window whenever it is judged, and the same bytes under the same edition; an alert's
    id stands for one subject, one wording and one domain, always.

    One with a note about its picture may differ from one without: a picture that a worker could not read in time,
    because it was frozen meanwhile, is there for the next.
    """
    database = facts.database
    for topic, part, off, times, distinct in database.execute(_SAME_EVENT):
        if distinct > 1:
            verdict.complain(
                "repeated otherwise",
                f"{topic}-{part}@{off}: {times} predictions, {distinct} subjects or windows",
            )
    for topic, part, off, times, distinct in database.execute(_SAME_EDITION):
        verdict.counts["predictions repeated under one edition"] += times - 1
        if distinct > 1:
            verdict.complain(
                "repeated otherwise", f"{topic}-{part}@{off}: {times} predictions of {distinct} contents"
            )
    for alert_id, _, distinct in database.execute(_SAME_ALERT):
        if distinct > 1:
            verdict.complain("one id, two alerts", f"{alert_id} stands for {distinct} subjects or contexts")
    for alert_id, times, distinct in database.execute(_SAME_EVIDENCE):
        verdict.counts["alerts repeated"] += times - 1
        if distinct > 1:
            verdict.complain(
                "repeated otherwise",
                f"alert {alert_id}: {times} times with the same evidence, {distinct} contents",
            )
    for where, domain, ids in database.execute(_ID_OF):
        verdict.complain("one alert, two ids", f"{where} has {ids} alert ids in {domain}")
    for alert_id, subjects in database.execute(_SUBJECT_OF):
        verdict.complain("one id, two alerts", f"{alert_id} is stated by {subjects} subjects or wordings")
