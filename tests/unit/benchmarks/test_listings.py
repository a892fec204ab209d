"""The listing benchmark: rows over seeds and labels, misses in bold, and a page that agrees with the committed runs."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.models import listings
from benchmarks.models.listings import ROWS, Row, main, run_row, section
from benchmarks.models.record import RESULTS
from models.systems.contract import SYSTEMS, load_system
from tests.unit.models.listing_examples import TRAINING, UNSEEN, VALIDATION

pytestmark = pytest.mark.train

SETS = {"train": TRAINING, "valid": VALIDATION, "test": UNSEEN}


def test_every_row_names_a_system_and_options_that_it_has() -> None:
    for rows in ROWS.values():
        assert len({row.name for row in rows}) == len(rows)
        for row in rows:
            assert row.system in SYSTEMS
            load_system(row.system).network_options(**row.network)
            load_system(row.system).training_options(**row.training)


def test_a_row_has_a_figure_for_each_label_and_seed() -> None:
    quick = {"epochs": 2, "averaging": 0.5, "learning_rate": 0.01}
    rows = run_row(Row("x", "system", "fusion_network", {}, quick), SETS, ("fake", "drugs"), (1, 2))
    assert [row["label"] for row in rows] == ["fake", "drugs"]
    assert all(len(row["auroc"]["runs"]) == 2 for row in rows)
    assert rows[0]["auroc"]["mean"] > 0.6
    once = Row("y", "system", "logistic_regression", by_chance=False)
    assert len(run_row(once, SETS, ("fake",), (1, 2))[0]["auroc"]["runs"]) == 1


def result(auroc: float) -> dict[str, object]:
    spread = {"mean": auroc, "deviation": 0.01, "runs": [auroc, auroc]}
    names = ("auroc", "average_precision", "valid_auroc", "valid_average_precision", "minutes")
    rows = [
        {"row": "gmu", "group": "fusion", "label": label} | dict.fromkeys(names, spread)
        for label in ("restricted", "action")
    ]
    part = {
        "date": "2026-01-01", "command": "c", "seeds": [1, 2], "processor_minutes": 1.0, "versions": {"torch": "2"},
        "machine": "m", "counts": {"train": {"listings": 1000, "restricted": 3, "action": 4}}, "rows": rows,
    }  # fmt: skip
    return {"benchmark": "listings", "parts": {"posters": part}}


def test_what_misses_its_goal_is_bold() -> None:
    assert "| gmu | **0.759 ± 0.010** / 0.759 ± 0.010 | **0.759 ± 0.010** / 0.759 ± 0.010 |" in section(
        result(0.759)
    )
    assert "| gmu | 0.900 ± 0.010 / 0.900 ± 0.010 | 0.900 ± 0.010 / 0.900 ± 0.010 |" in section(result(0.9))


def test_the_section_holds_every_row_of_the_committed_runs() -> None:
    committed = json.loads((RESULTS / "listings.json").read_text(encoding="utf-8"))
    text = section(committed)
    for name, part in committed["parts"].items():
        found = {row["row"] for row in part["rows"]}
        assert found <= {row.name for row in ROWS[name]}
        for row in ROWS[name]:
            assert row.name in found or f"{row.name}" in text.split("Not run yet:", 1)[1]
        for row in part["rows"]:
            assert f"| {row['row']} |" in text
            assert f"{row['auroc']['mean']:.3f}" in text


def test_runs_add_rows_that_are_missing_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "darknet"
    data.mkdir()
    for part in ("train", "valid", "test"):
        lines = [
            json.dumps(
                {
                    "listing": {"listing_id": f"{n}", "seller_id": "s" * 300, "title": f"word{n % 5} thing"},
                    "labels": {
                        label: int(n % 5 == at) for at, label in enumerate(listings.LABELS["darknet"])
                    },
                }
            )
            for n in range(40)
        ]
        (data / f"{part}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    first = ROWS["darknet"][0]
    monkeypatch.setattr(listings, "ROWS", {"posters": (), "darknet": (first,)})
    arguments = [str(tmp_path), "darknet", "--seeds", "1", "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(main, arguments, catch_exceptions=False).exit_code == 0
    written = json.loads((tmp_path / "out" / "listings.json").read_text())["parts"]["darknet"]
    assert len(written["rows"]) == 5
    assert written["rows"][0]["auroc"]["mean"] == 1.0
    assert str(tmp_path) not in json.dumps(written)
    assert CliRunner().invoke(main, arguments, catch_exceptions=False).exit_code == 0
    assert json.loads((tmp_path / "out" / "listings.json").read_text())["parts"]["darknet"] == written
    arguments[3] = "2"
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 2
    assert "begun with seeds [1]" in refused.output
