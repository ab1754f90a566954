"""Settings of all tests of the mimic."""

from hypothesis import HealthCheck, settings

# How long an example takes says nothing where processors are shared: no deadline, and no complaint about slow data.
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")
