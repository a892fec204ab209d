"""The capacity guide reckons right, and docs/scaling.md is what it gives for the committed figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.capacity.__main__ import PAGE, main
from benchmarks.capacity.costs import Costs, EventCost, NotMeasured, costs_of
from benchmarks.capacity.page import STEPS, page, typical
from benchmarks.capacity.sizing import FILLED, Load, catalogue_days, deployment, instances, limits
from benchmarks.scaling.report import FILES
from tests.unit.benchmarks.scaling.made_results import result

#: 300 µs of worker and 600 of Triton for a message with three models; 3 ms and 7 ms for a listing.
COSTS = Costs(
    messages={3: EventCost(3, 300.0, 600.0, 0.0, 20.0, 200.0, 1_000.0)},
    listing=EventCost(2, 3_000.0, 7_000.0, 6_000.0, 30.0, 500.0, 2_000.0),
    worker_factor=1.0,
    conversation_bytes={"memory": 1_000.0, "rocksdb": 500.0},
    recovery_us={"memory": 5.0, "rocksdb": 10.0},
    changelog_bytes=400.0,
    resident_bytes=200e6,
)


def test_the_committed_guide_is_what_the_committed_figures_give() -> None:
    if not FILES.json.exists():
        assert not PAGE.exists(), "docs/scaling.md has figures that nobody measured"
        pytest.skip("there is no recorded run yet")
    assert PAGE.read_text("utf-8") == page(json.loads(FILES.json.read_text("utf-8")))


def test_costs_are_medians_of_the_result() -> None:
    costs = costs_of(result())
    assert costs.messages[10] == EventCost(10, 300.0, 1_700.0, 0.0, 10.0, 200.0, 1_000.0)
    assert (costs.listing.worker_us, costs.listing.triton_us, costs.listing.encoder_us) == (
        3_000,
        7_000,
        6_000,
    )
    assert costs.worker_factor == pytest.approx(1.1)
    assert costs.conversation_bytes == {"memory": 1_000.0, "rocksdb": 500.0}
    assert costs.recovery_us == {"memory": 5.0, "rocksdb": 10.0}
    assert costs.changelog_bytes == pytest.approx(440.0)


def test_what_was_not_measured_is_named_with_the_command() -> None:
    made = result()
    del made["axes"]["images"]
    with pytest.raises(NotMeasured, match="--only images"):
        costs_of(made)


def test_a_load_worked_out_by_hand() -> None:
    found = deployment(Load(10_000, 1_000, conversations=1_000_000), COSTS)
    # (10,000 × 300 + 1,000 × 3,000) µs = 6 cores; (10,000 × 600 + 1,000 × 7,000) µs = 13 cores
    assert (found.worker_cores, found.triton_cores) == (pytest.approx(6.0), pytest.approx(13.0))
    assert (found.workers, found.partitions) == (10, 40)
    # 10,000 × 200 µs = 2 cores, 1,000 × 500 µs = 0.5, 1,000 × 6,000 µs = 6; each ÷ 0.6, rounded up
    assert (found.message_instances, found.listing_instances, found.encoder_instances) == (4, 1, 10)
    assert found.machines == 2
    # 3 × (10,000 × 1,200 + 1,000 × 2,500) + 10,000 × 200 + 1,000 × 500
    assert found.broker_bytes_per_s == pytest.approx(46e6)
    assert found.predictions_bytes_per_day == pytest.approx(3 * 12e6 * 86_400)
    assert found.worker_bytes == pytest.approx(200e6 + 100_000 * 1_000)
    assert (found.store, found.state_bytes, found.takeover_s) == (
        "memory",
        pytest.approx(40e6),
        pytest.approx(0.5),
    )


def test_windows_that_do_not_fit_into_memory_go_to_rocksdb() -> None:
    # 10 workers: 7,800,000 conversations each are 8 GB with what a worker needs itself
    fitting, more = (
        deployment(Load(10_000, 1_000, conversations=c), COSTS) for c in (78_000_000, 78_000_010)
    )
    assert (fitting.store, fitting.worker_bytes) == ("memory", pytest.approx(8e9))
    assert (more.store, more.worker_bytes) == ("rocksdb", pytest.approx(4.1e9))
    assert more.takeover_s == pytest.approx(78.0)
    full = {
        each.part: each.messages_per_s for each in limits(fitting, Load(10_000, 1_000, 78_000_000), COSTS)
    }
    assert full["a worker's memory (memory)"] == pytest.approx(10_000)


def test_nothing_is_needed_for_events_that_do_not_come() -> None:
    found = deployment(Load(1), COSTS)
    assert (found.workers, found.partitions, found.listing_instances, found.encoder_instances) == (1, 8, 0, 0)


@given(st.floats(1, 200_000), st.floats(0, 20_000))
def test_no_core_is_filled_beyond_its_share(messages: float, listings: float) -> None:
    found = deployment(Load(messages, listings), COSTS)
    assert found.worker_cores <= found.workers * FILLED * 1.000001
    assert messages * 200 / 1e6 <= found.message_instances * FILLED * 1.000001
    assert found.worker_cores + found.triton_cores <= found.machines * 16 * FILLED * 1.000001
    assert found.partitions >= found.workers


@given(st.floats(1, 100_000), st.floats(1.01, 5))
def test_a_deployment_carries_its_load_and_the_first_limit_is_the_lowest(
    messages: float, times: float
) -> None:
    load = Load(messages, messages / 10)
    found = limits(deployment(load, COSTS), load, COSTS)
    assert [each.messages_per_s for each in found] == sorted(each.messages_per_s for each in found)
    compute = [each for each in found if "network" not in each.part]
    assert all(each.messages_per_s >= messages for each in compute)
    assert instances(messages * times, 200) >= instances(messages, 200)


def test_a_catalogue_takes_half_the_days_on_twice_the_machines() -> None:
    # 100 M × 10 ms = 1,000,000 core-seconds on 16 × 0.6 = 9.6 cores
    assert catalogue_days(100_000_000, 1, COSTS) == pytest.approx(1_000_000 / 9.6 / 86_400)
    assert catalogue_days(100_000_000, 2, COSTS) == pytest.approx(1_000_000 / 19.2 / 86_400)


def test_the_page_shows_the_arithmetic() -> None:
    written = page(result())
    # 10,000 messages with ten domains and 1,000 listings: (10,000 × 300 + 1,000 × 3,000) µs × 1.1 = 6.6 cores
    load = typical(STEPS[1], 3)
    assert (load.listings_per_s, load.conversations) == (1_000, 604_800_000)
    assert "### 3 message domains" in written
    assert "### 10 message domains" in written
    # three domains: (10,000 × 200 + 1,000 × 3,000) µs × 1.1 = 5.5 cores → 10 workers, 40 partitions
    assert "× 1.10 ÷ 1,000,000 = 5.5 cores; ÷ 0.6 → 10 workers" in written
    assert "  × 4 → 40 partitions" in written
    # 100 M × (1.1 × 3,000 + 7,000) µs
    assert "100,000,000 × 10,300 µs = 286 hours of one core" in written
    assert "| **workers** | 1 | 10 | 92 |" in written


def test_the_command_sizes_a_load_and_refuses_domains_that_were_not_measured(tmp_path: Path) -> None:
    costs = tmp_path / "scaling.json"
    costs.write_text(json.dumps(result()))
    said = CliRunner().invoke(main, ["--costs", str(costs), "--messages-per-s", "10000", "--domains", "10"])
    assert said.exit_code == 0, said.output
    assert "workers               6 (they use 3.3 cores)" in said.output
    unknown = CliRunner().invoke(main, ["--costs", str(costs), "--domains", "7"])
    assert (unknown.exit_code, "there are figures of 3, 10" in unknown.output) == (1, True)
    nowhere = CliRunner().invoke(main, ["--costs", str(tmp_path / "none.json")])
    assert "run python -m benchmarks.scaling" in nowhere.output
