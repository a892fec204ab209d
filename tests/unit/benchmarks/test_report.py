"""docs/results.md is what the files of results give, and says which are missing."""

from pathlib import Path

import pytest

from benchmarks.catalogue import COMPARISONS
from benchmarks.models.record import RESULTS, Spread, record, save
from benchmarks.models.report import PAGE, SECTIONS, page

pytestmark = pytest.mark.train


def test_the_page_is_what_the_files_give() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m benchmarks.models.report"


def test_every_file_of_results_is_on_the_page_or_has_one_of_its_own() -> None:
    on_the_page = {name for section in SECTIONS for name in section.files}
    compared = {comparison.file for comparison in COMPARISONS}
    own_pages = {path.stem for path in (PAGE.parent / "results").glob("*.md")}
    own_pages.add("trunk")  # with trunk_cost on shared-trunk.md
    assert {path.stem for path in RESULTS.glob("*.json")} <= on_the_page | compared | own_pages


def test_what_is_missing_is_said_to_be(tmp_path: Path) -> None:
    text = page(tmp_path)
    for section in SECTIONS:
        assert f"## {section.title}\n" in text
        for name in section.files:
            assert f"**Missing: `benchmarks/results/{name}.json`.**" in text


def test_spread_is_the_sample_deviation() -> None:
    assert Spread.of([1.0, 3.0]) == Spread(2.0, pytest.approx(2**0.5), (1.0, 3.0))
    assert Spread.of([4.0]) == Spread(4.0, 0.0, (4.0,))


def test_a_record_names_versions_date_and_seeds(tmp_path: Path) -> None:
    result = record("b", command="c", seeds=range(2), minutes=1.26, rows=[{"x": 1}], plan={"y": 2})
    assert result["versions"].keys() == {"python", "torch", "numpy", "scikit-learn"}
    assert (result["seeds"], result["processor_minutes"], result["plan"]) == ([0, 1], 1.3, {"y": 2})
    assert save(result, tmp_path / "new").name == "b.json"
