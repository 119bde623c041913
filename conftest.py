"""What holds for every test, those of the plugins too: no result depends on how fast the machine is."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("sojourn", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Where a change is judged, the examples are few and the same each time: developers look for new ones.
settings.register_profile(
    "ci", settings.get_profile("sojourn"), max_examples=40, derandomize=True, print_blob=True
)
settings.load_profile("ci" if os.environ.get("SOJOURN_TEST_ALL") == "1" else "sojourn")
