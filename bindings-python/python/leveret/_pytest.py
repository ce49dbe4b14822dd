"""The pytest plugin, found by its entry point: the fixture `mqtt_broker`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .testing import Broker


def pytest_configure(config: pytest.Config) -> None:
    """Makes the mark known."""
    config.addinivalue_line("markers", "mqtt_broker(**options): the options of the Broker that is the fixture mqtt_broker.")


@pytest.fixture
def mqtt_broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """A `leveret.testing.Broker` of the test's own; `@pytest.mark.mqtt_broker(protocol="3.1.1")` gives it options."""
    mark = request.node.get_closest_marker("mqtt_broker")
    with Broker(**mark.kwargs if mark else {}) as broker:
        yield broker
