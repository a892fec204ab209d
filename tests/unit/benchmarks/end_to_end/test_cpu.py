"""Processor time of a stretch, from samples; and of processes that are there."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from benchmarks.end_to_end.cpu import CpuSampler, CpuSamples


def test_between_samples_time_passes_evenly() -> None:
    samples = CpuSamples([10.0, 11.0, 13.0], [5.0, 6.0, 6.5])
    assert samples.between(10.0, 13.0) == pytest.approx(1.5)
    assert samples.between(10.5, 12.0) == pytest.approx(0.5 + 0.25)
    assert samples.between(11.0, 11.0) == 0.0


def test_nothing_is_said_about_times_without_samples() -> None:
    samples = CpuSamples([10.0, 11.0], [5.0, 6.0])
    for start_s, end_s in ((9.9, 10.5), (10.5, 11.1)):
        with pytest.raises(ValueError, match="no samples around"):
            samples.between(start_s, end_s)
    with pytest.raises(ValueError, match="no samples around"):
        CpuSamples().between(1.0, 2.0)


def test_a_process_and_its_children_count_and_one_that_ended_keeps_what_it_used() -> None:
    busy = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(10**7))']); sum(range(10**7))"
    process = subprocess.Popen([sys.executable, "-c", busy + "; import time; time.sleep(0.5)"])
    with CpuSampler({"busy": [process.pid], "me": [os.getpid()]}) as sampler:
        process.wait()
        time.sleep(0.3)
    used_s = sampler.samples["busy"].used_s
    assert used_s == sorted(used_s)
    assert used_s[-1] > 0.1
    assert len(sampler.samples["me"].at_s) == len(used_s)
