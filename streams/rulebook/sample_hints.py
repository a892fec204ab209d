"""What to do about a test in a rule that failed (pure)."""

from __future__ import annotations

from streams.rule_engine.match_tree import views_used
from streams.rule_engine.rule import Rule
from streams.rule_engine.samples import Outcome, accepted_facts
from streams.rule_engine.views import in_view
from streams.rulebook.unmet import unmet_sentence

#: Characters of a view that are shown.
_SHOWN = 80


def sample_hint(rule: Rule, outcome: Outcome) -> str:
    """The hint beside a failed test: which condition its metadata do not meet, or what the rule really looks at."""
    sample = outcome.sample
    if not sample.should_match:
        return "make the rule stricter with boundary, none, except or near, or correct the sample"
    if unmet := outcome.explanation.unmet:
        facts = accepted_facts(rule.when) | dict(sample.facts)
        return "; ".join(unmet_sentence(name, rule, facts) for name in unmet)
    looked_at = _looked_at(rule, outcome)
    return f"correct the rule or the sample{looked_at}"


def _looked_at(rule: Rule, outcome: Outcome) -> str:
    """The event's text as the rule sees it: of patterns, which are not brought into that form, and of other views."""
    texts = [text for _, text in outcome.sample.turns[-1:]] or [text for _, text in outcome.sample.fields]
    by_pattern = outcome.explanation.clause.deciding().path.endswith("regex")
    for view in sorted(views_used(rule.match)):
        for text in texts:
            form = in_view(text, view)
            if form != text and (view != "safe" or by_pattern):
                return f'; in the {view} view the text is "{form[:_SHOWN]}"'
    return ""
