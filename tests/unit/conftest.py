"""Settings of all property tests."""

from hypothesis import settings

settings.register_profile("any computer", deadline=None)  # how long an example takes says nothing about what it shows
settings.load_profile("any computer")
