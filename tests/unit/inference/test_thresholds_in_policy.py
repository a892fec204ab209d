"""New thresholds in domains.yaml: they alone change."""

from __future__ import annotations

import pytest

from streams.inference.promotion import NoChampionError, with_thresholds

POLICY = """\
# 日本語 comments stay.
format: 1
domains:
  a:
    champion: {model: message_a, version: 1, threshold: 0.9}  # since May
    challenger:
      model: message_a
      version: 2
      threshold: 0.80 # tried
      mode: canary
      share: 0.1
  b:
    champion: {model: message_a, version: 1, threshold: 0.9}
"""


def test_only_the_named_thresholds_of_the_one_domain_change() -> None:
    changed = with_thresholds(POLICY, "a", {"champion": 0.95, "challenger": 0.000012})
    expected = POLICY.replace("0.9}  # since May", "0.95}  # since May").replace("0.80 #", "0.000012 #")
    assert changed == expected


@pytest.mark.parametrize(("domain", "role"), [("b", "challenger"), ("c", "champion")])
def test_a_role_that_nobody_has_is_said(domain: str, role: str) -> None:
    with pytest.raises(NoChampionError, match=role):
        with_thresholds(POLICY, domain, {role: 0.5})  # type: ignore[dict-item]
