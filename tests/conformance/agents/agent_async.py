"""The agent of asyncio Python; see PROTOCOL.md."""

from __future__ import annotations

import asyncio
import collections
import sys
from typing import Any

import leveret
import line
from leveret import AsyncClient, AsyncReceipt
from leveret.errors import MqttError, QueueFull, TimeoutError
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
        self.changed = asyncio.Condition()
        #: While it is not set, a call does not return.
        self.free = asyncio.Event()
        self.free.set()
        #: Calls raise from now on.
        self.failing = False

    async def __call__(self, item: Any) -> None:
        async with self.changed:
            self.items.append(item)
            self.unacknowledged.append(item)
            self.last = item
            self.changed.notify_all()
        await self.free.wait()
        if self.failing:
            raise RuntimeError("the scenario wants this handler to fail")

    async def take(self, count: int, timeout: float) -> list[Any]:
        if not await self.until(lambda: len(self.items) >= count, timeout):
            raise TimeoutError(f"{len(self.items)} of {count} came: {self.items}")
        taken, self.items = self.items[:count], self.items[count:]
        return taken

    async def tally(self, distinct: int, timeout: float) -> line.Pairs:
        await self.until(lambda: len({item.payload for item in self.items}) >= distinct, timeout)
        counts = collections.Counter(item.payload for item in self.items)
        return [("distinct", len(counts)), ("doubled", sum(count > 1 for count in counts.values()))]

    async def until(self, enough: Any, timeout: float) -> bool:
        try:
            async with asyncio.timeout(timeout), self.changed:
                await self.changed.wait_for(enough)
        except asyncio.TimeoutError:
            return False
        return True


class Agent:
    """The objects of one scenario by their names, and a method for each verb."""

    def __init__(self) -> None:
        self.brokers: dict[str, Broker] = {}
        self.clients: dict[str, AsyncClient] = {}
        self.receipts: dict[tuple[str, str], AsyncReceipt] = {}
        self.recorders: dict[tuple[str, str], Recorder] = {}
        #: What hooks wait for that do not answer: for the client to be closed.
        self.never: dict[str, asyncio.Event] = {}

    async def hello(self) -> line.Pairs:
        return [("language", "python_async"), ("version", sys.version.split()[0])]

    async def shutdown(self) -> line.Pairs:
        leveret.shutdown()
        return []

    # --- brokers ---

    async def broker_new(self, broker: str, **options: str) -> line.Pairs:
        made = self.brokers[broker] = Broker(**line.typed(options))
        pems = [("ca_pem", made.ca_pem), ("client_cert_pem", made.client_cert_pem), ("client_key_pem", made.client_key_pem)]
        return [("url", made.url), *(pair for pair in pems if pair[1] is not None)]

    async def broker_stop(self, broker: str, forget: str = "false") -> line.Pairs:
        self.brokers[broker].stop(forget=forget == "true")
        return []

    async def broker_start(self, broker: str) -> line.Pairs:
        self.brokers[broker].start()
        return []

    async def broker_close(self, broker: str) -> line.Pairs:
        self.brokers.pop(broker).close()
        return []

    async def broker_show_certificate(self, broker: str, certificate: Any) -> line.Pairs:
        self.brokers[broker].show_certificate(certificate)
        return []

    async def broker_swallow(self, broker: str, packet: str, count: str) -> line.Pairs:
        self.brokers[broker].swallow(packet, int(count))
        return []

    async def broker_received(self, broker: str, count: str = "0", timeout: str = "0") -> line.Pairs:
        wait = self.brokers[broker].wait_received
        await asyncio.to_thread(wait, int(count), timeout=int(timeout) / 1000)
        received = self.brokers[broker].received
        return [("count", len(received)), *(pair for message in received for pair in line.message(message))]

    # --- the connection ---

    async def connect(self, client: str, url: str, **options: str) -> line.Pairs:
        wanted, asked = line.Hooks(options), line.Attempts(options)
        packets, steps, attempts = (self.recorder(client, name) for name in ("packets", "steps", "attempts"))
        never = self.never.setdefault(client, asyncio.Event())

        async def hook(packet: leveret.Packet) -> leveret.Words | None:
            await packets(packet)
            if wanted.hold:
                await never.wait()
            return wanted.words

        async def authenticator(step: leveret.AuthStep) -> str | None:
            await steps(step)
            return wanted.answer(step)

        async def before_connect(attempt: leveret.Attempt) -> Any:
            await attempts(attempt)
            said = asked.answer()
            if said is None:
                await never.wait()
            return said

        async def signer(scheme: str, message: bytes) -> bytes:
            return await asyncio.to_thread(asked.sign, scheme, message)

        self.clients[client] = AsyncClient(
            url,
            hooks=dict.fromkeys(wanted.names, hook),
            authenticator=authenticator if wanted.authenticates else None,
            before_connect=before_connect if asked.asks else None,
            signer=signer if asked.signs else None,
            on_message=self.recorder(client, ""),
            **{f"on_{kind}": self.recorder(client, f"events/{kind}") for kind in line.EVENTS},
            **line.typed(options),
        )
        return []

    async def wait(self, client: str, status: str, timeout: str) -> line.Pairs:
        await self.clients[client].wait_for(status, timeout=int(timeout) / 1000)
        return []

    async def status(self, client: str) -> line.Pairs:
        return [("status", self.clients[client].status)]

    async def reconnect(self, client: str) -> line.Pairs:
        self.clients[client].reconnect()
        return []

    async def ping(self, client: str) -> line.Pairs:
        return [("microseconds", round(await self.clients[client].ping(timeout=5) * 1e6))]

    async def stats(self, client: str) -> line.Pairs:
        return [(name, value) for name, value in vars(self.clients[client].stats()).items() if value is not None]

    async def reauthenticate(self, client: str, timeout: str) -> line.Pairs:
        await self.clients[client].reauthenticate(timeout=int(timeout) / 1000)
        return []

    async def close(self, client: str, timeout: str = "", **options: str) -> line.Pairs:
        self.never[client].set()
        limit = None if timeout == "" else int(timeout) / 1000
        await self.clients[client].close(timeout=limit, **line.typed(options))
        return []

    async def free(self, client: str) -> line.Pairs:
        del self.clients[client]
        return []

    # --- letters ---

    async def publish(self, client: str, topic: str, receipt: str = "", **options: str) -> line.Pairs:
        payload = line.body(options)
        self.receipts[client, receipt] = self.clients[client].publish(topic, payload, **line.typed(options))
        return []

    async def burst(self, client: str, receipt: str, count: str, topic: str, prefix: str, **options: str) -> line.Pairs:
        for i in range(int(count)):
            self.receipts[client, f"{receipt}{i}"] = await self.with_room(client, topic, f"{prefix}{i}", options)
        return []

    async def with_room(self, client: str, topic: str, payload: str, options: dict[str, str]) -> AsyncReceipt:
        while True:
            try:
                return self.clients[client].publish(topic, payload, **line.typed(options))
            except QueueFull:
                await self.clients[client].drain()

    async def publish_many(
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

    async def request(self, client: str, topic: str, timeout: str = "", **options: str) -> line.Pairs:
        payload = line.body(options)
        if timeout:
            options["timeout"] = f"{timeout}ms"
        return line.message(await self.clients[client].request(topic, payload, **line.typed(options)))

    async def serve(self, client: str, filter: str, response_topic: str = "", **options: str) -> line.Pairs:
        topic = response_topic or None
        self.clients[client].serve(filter, response_topic=topic, **line.typed(options))(served)
        return []

    async def respond(self, client: str, handler: str = "", topic: str = "", **options: str) -> line.Pairs:
        payload = line.body(options)
        self.recorder(client, handler).last.respond(payload, topic=topic or None, **line.typed(options))
        return []

    async def outcome(self, client: str, receipt: str, timeout: str) -> line.Pairs:
        return line.outcome(await self.receipts[client, receipt].wait(timeout=int(timeout) / 1000))

    async def raise_(self, client: str, receipt: str, timeout: str) -> line.Pairs:
        outcome = await self.receipts[client, receipt].wait(timeout=int(timeout) / 1000)
        return line.outcome(outcome.raise_for_status())

    async def outcomes(self, client: str, receipt: str, count: str, timeout: str) -> line.Pairs:
        counts: collections.Counter[str] = collections.Counter()
        try:
            async with asyncio.timeout(int(timeout) / 1000):
                for i in range(int(count)):
                    counts[await self.receipts[client, f"{receipt}{i}"]] += 1
        except asyncio.TimeoutError:
            raise TimeoutError(f"{dict(counts)} of {count} came") from None
        return [(str(name), number) for name, number in counts.items()]

    async def cancel(self, client: str, receipt: str) -> line.Pairs:
        return [("cancelled", await self.clients[client].cancel(self.receipts[client, receipt]))]

    async def explain(self, client: str, receipt: str) -> line.Pairs:
        return [("text", await self.clients[client].explain(self.receipts[client, receipt]))]

    async def flush(self, client: str, timeout: str) -> line.Pairs:
        await self.clients[client].flush(timeout=int(timeout) / 1000)
        return []

    async def drain(self, client: str, timeout: str) -> line.Pairs:
        await self.clients[client].drain(timeout=int(timeout) / 1000)
        return []

    # --- messages ---

    async def subscribe(self, client: str, filter: str, handler: str = "", **options: str) -> line.Pairs:
        recorder = self.recorder(client, handler) if handler else None
        granted = await self.clients[client].subscribe(filter, recorder, **line.typed(options))
        return [("granted", qos) for qos in granted]

    async def declare(self, client: str, filter: str, handler: str, **options: str) -> line.Pairs:
        self.clients[client].on(filter, **line.typed(options))(self.recorder(client, handler))
        return []

    async def unsubscribe(self, client: str, filter: str, **options: str) -> line.Pairs:
        await self.clients[client].unsubscribe(filter, **line.typed(options))
        return []

    async def messages(self, client: str, count: str, timeout: str, handler: str = "") -> line.Pairs:
        taken = await self.recorder(client, handler).take(int(count), int(timeout) / 1000)
        return [("count", len(taken)), *(pair for message in taken for pair in line.message(message))]

    async def hold(self, client: str, handler: str = "") -> line.Pairs:
        self.recorder(client, handler).free.clear()
        return []

    async def release(self, client: str, handler: str = "") -> line.Pairs:
        self.recorder(client, handler).free.set()
        return []

    async def fail(self, client: str, handler: str = "") -> line.Pairs:
        self.recorder(client, handler).failing = True
        return []

    async def ack(self, client: str, handler: str = "", **options: str) -> line.Pairs:
        self.recorder(client, handler).unacknowledged.pop(0).ack(**line.typed(options))
        return []

    async def tally(self, client: str, distinct: str, timeout: str, handler: str = "") -> line.Pairs:
        return await self.recorder(client, handler).tally(int(distinct), int(timeout) / 1000)

    async def events(self, client: str, kind: str, count: str, timeout: str) -> line.Pairs:
        taken = await self.recorder(client, f"events/{kind}").take(int(count), int(timeout) / 1000)
        pairs: line.Pairs = [("count", len(taken))]
        for event in taken:
            pairs += line.event(kind, event)
        return pairs

    async def packets(self, client: str, count: str, timeout: str) -> line.Pairs:
        taken = await self.recorder(client, "packets").take(int(count), int(timeout) / 1000)
        return [("count", len(taken)), *(pair for packet in taken for pair in line.packet(packet))]

    async def steps(self, client: str, count: str, timeout: str) -> line.Pairs:
        taken = await self.recorder(client, "steps").take(int(count), int(timeout) / 1000)
        return [("count", len(taken)), *(pair for step in taken for pair in line.step(step))]

    async def attempts(self, client: str, count: str, timeout: str) -> line.Pairs:
        taken = await self.recorder(client, "attempts").take(int(count), int(timeout) / 1000)
        return [("count", len(taken)), *(pair for attempt in taken for pair in line.attempt(attempt))]

    def recorder(self, client: str, handler: str) -> Recorder:
        return self.recorders.setdefault((client, handler), Recorder())


async def served(message: leveret.Message) -> str | None:
    return line.served(message)


async def main() -> None:
    agent = Agent()
    while request := await asyncio.to_thread(sys.stdin.readline):
        verb, arguments = line.parse(request)
        try:
            answer = line.reply(await getattr(agent, VERBS.get(verb, verb))(**arguments))
        except MqttError as error:
            answer = line.failure(error)
        print(answer, flush=True)
    for client in agent.clients.values():
        await client.close(timeout=0)


if __name__ == "__main__":
    asyncio.run(main())
