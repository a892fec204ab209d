"""Known vulnerabilities of the pinned packages: audit.py CONSTRAINTS

Exit 0: none is known, or nobody could be asked (said on standard error). Exit 1: some are known, or the audit itself
went wrong. With SEKISHO_AUDIT=required nobody to ask is an error too. SEKISHO_AUDIT_URL names another service than the
public OSV database, for example a mirror of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Literal

#: For one answer. There are 150 questions, one after the other, and the service answers in about 0.1 s.
TIMEOUT_S = 10
#: What pip-audit's last words hold when it was the service that did not answer, or not with an answer.
SERVICE_FAILED = ("requests.exceptions.", "pip_audit._service.interface.", "vulnerability feed")

Outcome = Literal["clean", "vulnerable", "not asked", "failed"]


def outcome_of(report: str, complaint: str) -> tuple[Outcome, list[str]]:
    """What pip-audit's standard output (JSON, or nothing) and standard error mean, and the lines to say."""
    if not report.strip():
        last = complaint.strip().splitlines()[-1:] or ["pip-audit said nothing"]
        if any(sign in complaint for sign in SERVICE_FAILED):
            return "not asked", last
        return "failed", complaint.strip().splitlines()
    packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    known = [
        f"{package['name']} {package['version']}: {flaw['id']}, "
        + (f"fixed in {', '.join(flaw['fix_versions'])}" if flaw["fix_versions"] else "no fix yet")
        for package in packages
        for flaw in package.get("vulns", ())
    ]
    skipped = [
        f"{package['name']}: not audited: {package['skip_reason']}"
        for package in packages
        if "skip_reason" in package
    ]
    if known:
        return "vulnerable", known + skipped
    return "clean", [f"{len(packages) - len(skipped)} packages, no known vulnerability", *skipped]


def exit_code(outcome: Outcome, environment: Mapping[str, str]) -> int:
    """0 when the check may pass."""
    if outcome == "not asked":
        return 1 if environment.get("SEKISHO_AUDIT") == "required" else 0
    return 0 if outcome == "clean" else 1


def main(constraints: str) -> int:
    """Ask about every pinned version."""
    url = os.environ.get("SEKISHO_AUDIT_URL")
    done = subprocess.run(
        [
            sys.executable, "-m", "pip_audit", "--requirement", constraints, "--no-deps", "--disable-pip",
            "--format", "json", "--progress-spinner", "off", "--timeout", str(TIMEOUT_S),
            "--vulnerability-service", "osv", *(["--osv-url", url] if url else []),
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    outcome, lines = outcome_of(done.stdout, done.stderr)
    if outcome == "not asked":
        lines = [f"NOT AUDITED: the vulnerability service did not answer: {line}" for line in lines]
    for line in lines:
        print(f"audit: {line}", file=sys.stderr)
    return exit_code(outcome, os.environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
