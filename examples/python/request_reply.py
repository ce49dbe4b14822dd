"""Requests and their replies over MQTT 5, both sides in one program. Run: python request_reply.py [URL]"""

import asyncio
import itertools
import sys

import leveret


class Requester:
    """Sends requests and brings each reply to who asked for it."""

    def __init__(self, client: leveret.AsyncClient, reply_topic: str) -> None:
        self._client = client
        self._reply_topic = reply_topic
        self._numbers = itertools.count()
        self._open: dict[bytes, asyncio.Future[bytes]] = {}
        client.on(reply_topic, qos=1)(self._settle)

    async def request(self, topic: str, payload: str, timeout: float) -> bytes:
        """The reply. Raises NotDelivered where the request did not get to the broker, else TimeoutError."""
        number = str(next(self._numbers)).encode()
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._open[number] = reply
        try:
            async with asyncio.timeout(timeout):
                receipt = self._client.publish(
                    topic, payload, ttl=timeout, response_topic=self._reply_topic, correlation_data=number
                )
                (await receipt).raise_for_status()
                return await reply
        finally:
            del self._open[number]

    def _settle(self, message: leveret.Message) -> None:
        reply = self._open.get(message.properties.get("correlation_data", b""))
        # One that comes too late, or twice, is for nobody any more.
        if reply is not None and not reply.done():
            reply.set_result(message.payload)


async def main(url: str = "mqtt://localhost") -> None:
    async with leveret.AsyncClient(url, protocol="5") as server, leveret.AsyncClient(url, protocol="5") as client:

        async def shout(message: leveret.Message) -> None:
            asked = message.properties
            if "response_topic" in asked:
                reply = {"correlation_data": asked["correlation_data"]} if "correlation_data" in asked else {}
                server.publish(asked["response_topic"], message.payload.upper(), ttl="10s", **reply)

        await server.subscribe("services/shout", shout)
        requester = Requester(client, "replies/client-1")
        replies = await asyncio.gather(*(requester.request("services/shout", word, timeout=5) for word in ("one", "two")))
        print(*(reply.decode() for reply in replies))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
