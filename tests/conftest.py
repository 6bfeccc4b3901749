"""What holds for every test."""

from hypothesis import settings

# A busy machine is no failure: no test asserts a duration.
settings.register_profile("here", deadline=None)
settings.load_profile("here")
