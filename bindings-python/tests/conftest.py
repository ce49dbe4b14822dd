"""Fixtures: a broker of its own for each test, and clients that are closed at its end."""

import importlib
import pathlib

import pytest
from support import FAST, SOON

import leveret
from leveret.testing import Broker


@pytest.fixture
def broker():
    with Broker() as broker:
        yield broker


@pytest.fixture
def connect(broker):
    """Makes clients of the broker that reconnect fast, and waits until they are online."""
    clients = []

    def connect(*, url=None, online=True, **options):
        client = leveret.Client(url or broker.url, **{**FAST, **options})
        clients.append(client)
        if online:
            client.wait_for("online", timeout=SOON)
        return client

    yield connect
    for client in clients:
        client.close(timeout=1)


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def peer(monkeypatch):
    """A broker that does what the test says and nothing else: the one of the behaviour suite."""
    monkeypatch.syspath_prepend(pathlib.Path(__file__).parents[2] / "tests" / "conformance")
    peer = importlib.import_module("peer").Peer()
    yield peer
    peer.close()
