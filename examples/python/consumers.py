"""asyncio: several consumers at once, each with filters of its own, and a handler beside them. Run: python consumers.py [URL]"""

import asyncio
import sys
from datetime import timedelta

import leveret


async def doors(messages: leveret.AsyncSubscription) -> None:
    async for message in messages:
        # It is acknowledged when the next one is asked for: a crash in here means that it comes again.
        print("door", message.levels[1], message.payload.decode(), flush=True)


async def climate(messages: leveret.AsyncSubscription) -> None:
    while True:
        try:
            message = await messages.get(timeout=timedelta(minutes=5))
        except leveret.TimeoutError:
            print("no sensor has said anything for five minutes", flush=True)
        else:
            print(*message.levels[1:], float(message.payload), flush=True)


async def main(url: str = "mqtt://localhost") -> None:
    # Handlers run one after another unless told otherwise; consumers are tasks like any others.
    async with leveret.AsyncClient(url, concurrent_handlers=8) as client:

        @client.on("alarms/#", qos=2)
        async def alarm(message: leveret.Message) -> None:
            outcome = await client.publish("bells/all", message.payload, priority="high", ttl=timedelta(seconds=10))
            print("alarm", outcome, flush=True)

        async with (
            client.subscription("doors/+/state", qos=1) as states,
            client.subscription(["rooms/+/temperature", "rooms/+/humidity"]) as figures,
            client.subscription("stop") as stop,
            asyncio.TaskGroup() as tasks,
        ):
            consumers = [tasks.create_task(doors(states)), tasks.create_task(climate(figures))]
            print("ready", flush=True)
            await stop.get()
            for consumer in consumers:
                consumer.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
