"""These tests need torch: without the `train` extra they are skipped."""

import pytest

pytest.importorskip("torch")
