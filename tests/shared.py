"""Where the recorded market data is, which is not part of the project."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("GAMMABELL_SHARED", Path(__file__).parents[2] / "shared"))
RECORDINGS = SHARED / "data" / "recordings"
WIRE = SHARED / "data" / "wire"

needs_shared = pytest.mark.skipif(
    not (RECORDINGS.is_dir() and WIRE.is_dir()),
    reason=f"no recorded market data in {SHARED}; GAMMABELL_SHARED names another folder",
)
