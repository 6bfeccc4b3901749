"""Hypothesis repeats the same examples on every machine, unless GAMMABELL_EXAMPLES hunts."""

import os

from hypothesis import settings

settings.register_profile("core", deadline=None, derandomize="GAMMABELL_EXAMPLES" not in os.environ)
settings.load_profile("core")
