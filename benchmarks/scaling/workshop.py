"""What several axes are made of: rules directories, model repositories and messages, in one directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import orjson

from benchmarks.end_to_end.workload import made_rules, message_domains, messages, write_rules
from benchmarks.scaling.case import Event, Sizes
from benchmarks.scaling.deployment import ROOT
from benchmarks.scaling.repository import Copied, many_domains, write_repository
from streams.policy import POLICY_FILE, Domain
from streams.rule_engine.rule import Rule

_SEED = 2026


@dataclass
class Workshop:
    """Makes the parts of cases; the same part is made once."""

    directory: Path
    sizes: Sizes
    #: Cores that there are to share.
    cores: int
    _rules_dirs: dict[tuple[int, int], Path] = field(default_factory=dict)
    _repositories: dict[tuple[int, int], Path] = field(default_factory=dict)

    def rules_dir(self, *, rules: int | None = None, domains: int | None = None) -> Path:
        """So many rules, shared out among so many domains, or as usual. Fewer rules are the first of the more."""
        rules, domains = rules or self.sizes.usual_rules, domains or self.sizes.usual_domains
        if (rules, domains) not in self._rules_dirs:
            path = self.directory / f"rules-{rules}-{domains}"
            write_rules(path, self._rules[:rules], {c.domain.name: c.domain for c in self._copies(domains)})
            self._rules_dirs[rules, domains] = path
        return self._rules_dirs[rules, domains]

    def repository(self, *, domains: int | None = None, instances: int = 1) -> Path:
        """A model for each of so many domains, or as usual."""
        domains = domains or self.sizes.usual_domains
        if (domains, instances) not in self._repositories:
            path = self.directory / f"models-{domains}-{instances}"
            self._repositories[domains, instances] = write_repository(
                path, self._copies(domains), shipped=ROOT / "triton_repo", instances=instances
            )
        return self._repositories[domains, instances]

    @cached_property
    def messages(self) -> Sequence[Event]:
        """Messages of generated conversations, in the order they were sent."""
        return [
            Event(orjson.loads(record.value)["message_id"], record.key, record.value)
            for record in messages(self.sizes.messages, seed=_SEED)
        ]

    @cached_property
    def _rules(self) -> list[Rule]:
        return made_rules(max(self.sizes.usual_rules, *self.sizes.rules))

    @cached_property
    def _shipped(self) -> dict[str, Domain]:
        return message_domains(ROOT / "rules" / POLICY_FILE)

    def _copies(self, number: int) -> list[Copied]:
        return many_domains(self._shipped, number)
