"""How properties are searched everywhere: no deadline, a machine may be busy."""

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "house",
    deadline=None,
    max_examples=40,
    # Explaining a failure traces every line of pandas: minutes for one example.
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
# A build judges the change, on one fixed sample; new examples are searched on every desk.
settings.register_profile("build", settings.get_profile("house"), derandomize=True, database=None)
settings.load_profile("build" if os.environ.get("CI") else "house")
