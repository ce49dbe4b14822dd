"""The agent of blocking Python; see PROTOCOL.md."""

from __future__ import annotations

import collections
import sys
import threading
import time
from typing import Any

import leveret
import line
from leveret import Client, Receipt
from leveret.errors import MqttError, TimeoutError
from leveret.testing import Broker


#: Requests that no method can be named after.
VERBS = {"raise": "raise_"}


class Recorder:
    """Keeps what it is called with, for a reader that waits for a number of things."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.unacknowledged: list[Any] = []
        #: To be answered.
        self.last: Any = None
        self.changed = threading.Condition()
        #: While it is not set, a call does not return.
        self.free = threading.Event()
        self.free.set()
        #: Calls raise from now on.
        self.failing = False

    def __call__(self, item: Any) -> None:
        with self.changed:
            self.items.append(item)
            self.unacknowledged.append(item)
            self.last = item
            self.changed.notify_all()
        self.free.wait(60)
        if self.failing:
            raise RuntimeError("the scenario wants this handler to fail")

    def take(self, count: int, timeout: float) -> list[Any]:
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.items) >= count, timeout):
                raise TimeoutError(f"{len(self.items)} of {count} came: {self.items}")
            taken, self.items = self.items[:count], self.items[count:]
            return taken

    def tally(self, distinct: int, timeout: float) -> line.Pairs:
        with self.changed:
            self.changed.wait_for(lambda: len({item.payload for item in self.items}) >= distinct, timeout)
            counts = collections.Counter(item.payload for item in self.items)
        return [("distinct", len(counts)), ("doubled", sum(count > 1 for count in counts.values()))]


class Agent:
    """The objects of one scenario by their names, and a method for each verb."""

    def __init__(self) -> None:
        self.brokers: dict[str, Broker] = {}
        self.clients: dict[str, Client] = {}
        self.receipts: dict[tuple[str, str], Receipt] = {}
        self.recorders: dict[tuple[str, str], Recorder] = {}
        #: What hooks wait for that do not answer: for the client to be closed.
        self.never: dict[str, threading.Event] = {}

    def hello(self) -> line.Pairs:
        return [("language", "python"), ("version", sys.version.split()[0])]

    def shutdown(self) -> line.Pairs:
        leveret.shutdown()
        return []

    # --- brokers ---

    def broker_new(self, broker: str, **options: str) -> line.Pairs:
        made = self.brokers[broker] = Broker(**line.typed(options))
        pems = [("ca_pem", made.ca_pem), ("client_cert_pem", made.client_cert_pem), ("client_key_pem", made.client_key_pem)]
        return [("url", made.url), *(pair for pair in pems if pair[1] is not None)]

    def broker_stop(self, broker: str, forget: str = "false") -> line.Pairs:
        self.brokers[broker].stop(forget=forget == "true")
        return []

    def broker_start(self, broker: str) -> line.Pairs:
        self.brokers[broker].start()
        return []

    def broker_close(self, broker: str) -> line.Pairs:
        self.brokers.pop(broker).close()
        return []

    def broker_show_certificate(self, broker: str, certificate: Any) -> line.Pairs:
        self.brokers[broker].show_certificate(certificate)
        return []

    def broker_swallow(self, broker: str, packet: str, count: str) -> line.Pairs:
        self.brokers[broker].swallow(packet, int(count))
        return []

    def broker_received(self, broker: str, count: str = "0", timeout: str = "0") -> line.Pairs:
        self.brokers[broker].wait_received(int(count), timeout=int(timeout) / 1000)
        received = self.brokers[broker].received
        return [("count", len(received)), *(pair for message in received for pair in line.message(message))]

    # --- the connection ---

    def connect(self, client: str, url: str, **options: str) -> line.Pairs:
        wanted, asked = line.Hooks(options), line.Attempts(options)
        packets, steps, attempts = (self.recorder(client, name) for name in ("packets", "steps", "attempts"))
        never = self.never.setdefault(client, threading.Event())

        def hook(packet: leveret.Packet) -> leveret.Words | None:
            packets(packet)
            if wanted.hold:
                never.wait(60)
            return wanted.words

        def authenticator(step: leveret.AuthStep) -> str | None:
            steps(step)
            return wanted.answer(step)

        def before_connect(attempt: leveret.Attempt) -> Any:
            failed = made.stats().failed_attempts
            attempts(attempt)
            said = asked.answer()
            # What is not answered lasts until it is given up; this thread is then asked anew.
            while said is None and made.stats().failed_attempts == failed and not never.wait(0.01):
                pass
            return said

        made = Client(
            url,
            start=False,
            hooks=dict.fromkeys(wanted.names, hook),
            authenticator=authenticator if wanted.authenticates else None,
            before_connect=before_connect if asked.asks else None,
            signer=asked.sign if asked.signs else None,
            on_message=self.recorder(client, ""),
            **{f"on_{kind}": self.recorder(client, f"events/{kind}") for kind in line.EVENTS},
            **line.typed(options),
        )
        self.clients[client] = made
        made.start()
        return []

    def wait(self, client: str, status: str, timeout: str) -> line.Pairs:
        self.clients[client].wait_for(status, timeout=int(timeout) / 1000)
        return []

    def status(self, client: str) -> line.Pairs:
        return [("status", self.clients[client].status)]

    def reconnect(self, client: str) -> line.Pairs:
        self.clients[client].reconnect()
        return []

    def ping(self, client: str) -> line.Pairs:
        return [("microseconds", round(self.clients[client].ping(timeout=5) * 1e6))]

    def stats(self, client: str) -> line.Pairs:
        return [(name, value) for name, value in vars(self.clients[client].stats()).items() if value is not None]

    def reauthenticate(self, client: str, timeout: str) -> line.Pairs:
        self.clients[client].reauthenticate(timeout=int(timeout) / 1000)
        return []

    def close(self, client: str, timeout: str = "", **options: str) -> line.Pairs:
        self.never[client].set()
        limit = None if timeout == "" else int(timeout) / 1000
        self.clients[client].close(timeout=limit, **line.typed(options))
        return []

    def free(self, client: str) -> line.Pairs:
        del self.clients[client]
        return []

    # --- letters ---

    def publish(self, client: str, topic: str, receipt: str = "", **options: str) -> line.Pairs:
        payload = line.body(options)
        self.receipts[client, receipt] = self.clients[client].publish(topic, payload, **line.typed(options))
        return []

    def burst(self, client: str, receipt: str, count: str, topic: str, prefix: str, **options: str) -> line.Pairs:
        for i in range(int(count)):
            posted = self.clients[client].publish(topic, f"{prefix}{i}", **line.typed(options))
            self.receipts[client, f"{receipt}{i}"] = posted
        return []

    def publish_many(
        self, client: str, receipt: str, count: str, topic: str, prefix: str, **options: str
    ) -> line.Pairs:
        letters = [(topic, f"{prefix}{i}") for i in range(int(count))]
        try:
            receipts = self.clients[client].publish_many(letters, **line.typed(options))
        except MqttError as error:
            receipts = error.receipts
            raise
        finally:
            for i, posted in enumerate(receipts):
                self.receipts[client, f"{receipt}{i}"] = posted
        return []

    def request(self, client: str, topic: str, timeout: str = "", **options: str) -> line.Pairs:
        payload = line.body(options)
        if timeout:
            options["timeout"] = f"{timeout}ms"
        return line.message(self.clients[client].request(topic, payload, **line.typed(options)))

    def serve(self, client: str, filter: str, response_topic: str = "", **options: str) -> line.Pairs:
        topic = response_topic or None
        self.clients[client].serve(filter, response_topic=topic, **line.typed(options))(line.served)
        return []

    def respond(self, client: str, handler: str = "", topic: str = "", **options: str) -> line.Pairs:
        payload = line.body(options)
        self.recorder(client, handler).last.respond(payload, topic=topic or None, **line.typed(options))
        return []

    def outcome(self, client: str, receipt: str, timeout: str) -> line.Pairs:
        return line.outcome(self.receipts[client, receipt].wait(timeout=int(timeout) / 1000))

    def raise_(self, client: str, receipt: str, timeout: str) -> line.Pairs:
        outcome = self.receipts[client, receipt].wait(timeout=int(timeout) / 1000)
        return line.outcome(outcome.raise_for_status())

    def outcomes(self, client: str, receipt: str, count: str, timeout: str) -> line.Pairs:
        deadline = time.monotonic() + int(timeout) / 1000
        open_ones = (self.receipts[client, f"{receipt}{i}"] for i in range(int(count)))
        counts = collections.Counter(each.wait(timeout=max(0.0, deadline - time.monotonic())) for each in open_ones)
        return [(str(name), number) for name, number in counts.items()]

    def cancel(self, client: str, receipt: str) -> line.Pairs:
        return [("cancelled", self.clients[client].cancel(self.receipts[client, receipt]))]

    def explain(self, client: str, receipt: str) -> line.Pairs:
        return [("text", self.clients[client].explain(self.receipts[client, receipt]))]

    def flush(self, client: str, timeout: str) -> line.Pairs:
        self.clients[client].flush(timeout=int(timeout) / 1000)
        return []

    def drain(self, client: str, timeout: str) -> line.Pairs:
        self.clients[client].drain(timeout=int(timeout) / 1000)
        return []

    # --- messages ---

    def subscribe(self, client: str, filter: str, handler: str = "", **options: str) -> line.Pairs:
        recorder = self.recorder(client, handler) if handler else None
        granted = self.clients[client].subscribe(filter, recorder, **line.typed(options))
        return [("granted", qos) for qos in granted]

    def declare(self, client: str, filter: str, handler: str, **options: str) -> line.Pairs:
        self.clients[client].on(filter, **line.typed(options))(self.recorder(client, handler))
        return []

    def unsubscribe(self, client: str, filter: str, **options: str) -> line.Pairs:
        self.clients[client].unsubscribe(filter, **line.typed(options))
        return []

    def messages(self, client: str, count: str, timeout: str, handler: str = "") -> line.Pairs:
        taken = self.recorder(client, handler).take(int(count), int(timeout) / 1000)
        return [("count", len(taken)), *(pair for message in taken for pair in line.message(message))]

    def hold(self, client: str, handler: str = "") -> line.Pairs:
        self.recorder(client, handler).free.clear()
        return []

    def release(self, client: str, handler: str = "") -> line.Pairs:
        self.recorder(client, handler).free.set()
        return []

    def fail(self, client: str, handler: str = "") -> line.Pairs:
        self.recorder(client, handler).failing = True
        return []

    def ack(self, client: str, handler: str = "", **options: str) -> line.Pairs:
        self.recorder(client, handler).unacknowledged.pop(0).ack(**line.typed(options))
        return []

    def tally(self, client: str, distinct: str, timeout: str, handler: str = "") -> line.Pairs:
        return self.recorder(client, handler).tally(int(distinct), int(timeout) / 1000)

    def events(self, client: str, kind: str, count: str, timeout: str) -> line.Pairs:
        taken = self.recorder(client, f"events/{kind}").take(int(count), int(timeout) / 1000)
        pairs: line.Pairs = [("count", len(taken))]
        for event in taken:
            pairs += line.event(kind, event)
        return pairs

    def packets(self, client: str, count: str, timeout: str) -> line.Pairs:
        taken = self.recorder(client, "packets").take(int(count), int(timeout) / 1000)
        return [("count", len(taken)), *(pair for packet in taken for pair in line.packet(packet))]

    def steps(self, client: str, count: str, timeout: str) -> line.Pairs:
        taken = self.recorder(client, "steps").take(int(count), int(timeout) / 1000)
        return [("count", len(taken)), *(pair for step in taken for pair in line.step(step))]

    def attempts(self, client: str, count: str, timeout: str) -> line.Pairs:
        taken = self.recorder(client, "attempts").take(int(count), int(timeout) / 1000)
        return [("count", len(taken)), *(pair for attempt in taken for pair in line.attempt(attempt))]

    def recorder(self, client: str, handler: str) -> Recorder:
        return self.recorders.setdefault((client, handler), Recorder())


def main() -> None:
    agent = Agent()
    for request in sys.stdin:
        verb, arguments = line.parse(request)
        try:
            answer = line.reply(getattr(agent, VERBS.get(verb, verb))(**arguments))
        except MqttError as error:
            answer = line.failure(error)
        print(answer, flush=True)


if __name__ == "__main__":
    main()
