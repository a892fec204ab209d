"""What the commands about rules share: which files are meant, and findings as JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import click

from streams.policy import POLICY_FILE
from streams.rulebook.check import Bundle
from streams.rulebook.files import LISTS_DIR, Snapshot, SourceFile, read_source, snapshot, take_snapshot
from streams.settings import Settings


def snapshot_of(paths: Sequence[Path]) -> Snapshot:
    """The files named, each with the domains.yaml and the lists/ beside it; without any, SEKISHO_RULES_DIR."""
    files: dict[str, SourceFile] = {}
    try:
        for path in paths or (Settings().rules_dir,):
            if path.is_dir():
                files |= {file.name: file for file in take_snapshot(path).files}
                continue
            beside = [path.with_name(POLICY_FILE), *sorted(path.with_name(LISTS_DIR).glob("*.txt"))]
            for one in (path, *(other for other in beside if other.is_file())):
                files[str(one)] = SourceFile(str(one), read_source(one))
    except OSError as error:
        raise click.ClickException(f"cannot read the rule files: {error}") from error
    if not files:
        raise click.ClickException("there are no rule files here; rule files end in .yaml")
    return snapshot(files.values())


def junit(found: Snapshot, bundle: Bundle) -> str:
    """The findings of a check as JUnit XML: a suite per file, a case per rule, and one for the file itself."""
    suites = ElementTree.Element("testsuites", name="sekisho rules check")
    for file in found.files:
        issues = [issue for issue in bundle.issues if issue.path == file.name]
        wrong = [issue for issue in issues if issue.severity == "error"]
        cases: dict[str, list[str]] = {"file": []}
        for rule_id in bundle.rules_of.get(file.name, ()):
            cases[rule_id] = []
        for issue in wrong:
            about = issue.message.split(":")[0].removeprefix("rule ")
            cases.setdefault(about if about in cases else "file", []).append(_printable(issue.render()))
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=file.name,
            tests=str(len(cases)),
            failures=str(sum(map(bool, cases.values()))),
        )
        for name, texts in cases.items():
            case = ElementTree.SubElement(suite, "testcase", classname=file.name, name=name)
            if texts:
                ElementTree.SubElement(case, "failure", message=texts[0].split("\n")[0]).text = "\n".join(
                    texts
                )
        if warnings := [_printable(issue.render()) for issue in issues if issue.severity == "warning"]:
            ElementTree.SubElement(suite, "system-out").text = "\n".join(warnings)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _printable(text: str) -> str:
    """Without the control characters that XML 1.0 forbids even when escaped."""
    return "".join(character if character in "\n\t" or character >= " " else "\ufffd" for character in text)
