"""All clients of a process as figures for Prometheus. Run: python prometheus.py [URL [PORT]], and look at /metrics there

Take `Exporter` into your program: `REGISTRY.register(exporter)` once, `exporter.add("sensors", client)` for each client.
Needs prometheus_client.
"""

import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import TypeAlias

from prometheus_client import REGISTRY, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import leveret

AnyClient: TypeAlias = leveret.Client | leveret.AsyncClient

#: What is now: attribute of Stats, name, meaning.
GAUGES = [
    ("queued", "leveret_queued_letters", "Letters that wait for the connection, the window or their turn"),
    ("queued_bytes", "leveret_queued_bytes", "Bytes of the letters that wait"),
    ("in_flight", "leveret_in_flight_letters", "Letters sent and not yet settled"),
    ("in_flight_bytes", "leveret_in_flight_bytes", "Bytes of the letters sent and not yet settled"),
    ("oldest", "leveret_oldest_letter_seconds", "Age of the oldest letter that is not settled; 0 where there is none"),
    ("inbox_messages", "leveret_inbox_messages", "Messages that wait for the application"),
    ("inbox_bytes", "leveret_inbox_bytes", "Bytes of the messages that wait for the application"),
]
#: What happened since the client was made.
COUNTERS = [
    ("bytes_in", "leveret_received_bytes", "Bytes read from connections"),
    ("bytes_out", "leveret_sent_bytes", "Bytes taken by the operating system"),
    ("reconnects", "leveret_reconnects", "Connections after the first one"),
    ("failed_attempts", "leveret_failed_attempts", "Attempts to connect that failed"),
    ("inbox_dropped", "leveret_inbox_dropped", "QoS 0 messages dropped because the inbox was full"),
    ("unhandled", "leveret_unhandled_messages", "Messages that nobody took"),
    ("handler_failures", "leveret_handler_failures", "Messages whose handler failed"),
    ("oversize", "leveret_oversize_packets", "Packets larger than max_packet_size that were skipped"),
]
#: Attributes that are counters by QoS.
BY_QOS = [
    ("messages_in", "leveret_received_messages", "Messages received"),
    ("messages_out", "leveret_sent_messages", "Messages sent, repetitions included"),
]
#: Pings measured as they are answered: a scrape alone would see the last one only.
ROUND_TRIP = Histogram(
    "leveret_ping_seconds", "Round trip of pings", ["client"], buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
)


class Exporter(Collector):
    """Reads the counters of its clients when Prometheus asks; between two scrapes it costs nothing."""

    def __init__(self) -> None:
        # A client that the program let go of leaves the figures by itself.
        self._clients: weakref.WeakKeyDictionary[AnyClient, str] = weakref.WeakKeyDictionary()
        leveret.on_ping(self._observe)

    def add(self, name: str, client: AnyClient) -> None:
        """Exports this client's figures with the label client="name"."""
        self._clients[client] = name

    def collect(self) -> Iterator[Metric]:
        """One family for each figure, with a sample for each client."""
        stats = [(name, client.stats()) for client, name in list(self._clients.items())]
        online = GaugeMetricFamily("leveret_online", "1 while connected, else 0", labels=["client"])
        outcomes = CounterMetricFamily("leveret_letters", "Settled letters by outcome", labels=["client", "outcome"])
        for name, figures in stats:
            online.add_metric([name], figures.status == "online")
            for outcome, count in figures.outcomes.items():
                outcomes.add_metric([name, outcome], count)
        yield online
        yield outcomes
        for attribute, metric, meaning in GAUGES:
            gauge = GaugeMetricFamily(metric, meaning, labels=["client"])
            for name, figures in stats:
                gauge.add_metric([name], getattr(figures, attribute) or 0)
            yield gauge
        for attribute, metric, meaning in COUNTERS:
            counter = CounterMetricFamily(metric, meaning, labels=["client"])
            for name, figures in stats:
                counter.add_metric([name], getattr(figures, attribute))
            yield counter
        for attribute, metric, meaning in BY_QOS:
            counter = CounterMetricFamily(metric, meaning, labels=["client", "qos"])
            for name, figures in stats:
                for qos, count in enumerate(getattr(figures, attribute)):
                    counter.add_metric([name, str(qos)], count)
            yield counter

    def _observe(self, client: AnyClient, seconds: float) -> None:
        name = self._clients.get(client)
        if name is not None:
            ROUND_TRIP.labels(name).observe(seconds)


def main(url: str = "mqtt://localhost", port: str = "9400") -> None:
    """Two clients that talk to each other, until SIGTERM or Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    exporter = Exporter()
    REGISTRY.register(exporter)
    server, _ = start_http_server(int(port), addr="127.0.0.1")
    with leveret.Client(url) as sensor, leveret.Client(url) as display:
        exporter.add("sensor", sensor)
        exporter.add("display", display)
        display.subscribe("rooms/kitchen/temperature", lambda message: None)
        sensor.publish("rooms/kitchen/temperature", "20.5").wait()
        print(f"http://127.0.0.1:{server.server_port}/metrics", flush=True)
        while not stop.wait(1.0):
            sensor.publish("rooms/kitchen/temperature", f"{20 + time.time() % 2:.1f}", ttl="1m", replace="kitchen")
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main(*sys.argv[1:])
