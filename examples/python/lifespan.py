"""A client that lives as long as a web application, or any other service, does. Run: python lifespan.py [URL]

`lifespan` has the shape that ASGI frameworks ask for: FastAPI(lifespan=…), Starlette(lifespan=…), Litestar(lifespan=[…]).
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import leveret

URL = sys.argv[1] if len(sys.argv) > 1 else "mqtt://localhost"


@dataclass
class Application:
    """What request handlers need; with a framework, its `app.state`."""

    client: leveret.AsyncClient | None = None
    temperatures: dict[str, float] = field(default_factory=dict)


@contextlib.asynccontextmanager
async def lifespan(app: Application) -> AsyncIterator[None]:
    # Nothing here waits for the network: the application starts also while the broker is away.
    async with leveret.AsyncClient(URL, will={"topic": "service/state", "payload": "gone"}) as client:

        @client.on("rooms/+/temperature", qos=1)
        def remember(message: leveret.Message) -> None:
            app.temperatures[message.levels[1]] = float(message.payload)
            print("temperatures", app.temperatures, flush=True)

        client.publish("service/state", "here", retain=True, replace="state")
        app.client = client
        yield
        client.publish("service/state", "stopped", retain=True, replace="state")
    # Leaving the block sent what waited, at most for `close_timeout`.


async def unlock(app: Application, door: str) -> dict[str, object]:
    """A request handler, say POST /doors/{door}/unlock: a command that is worth nothing after three seconds."""
    assert app.client is not None
    outcome = await app.client.publish(f"doors/{door}/command", "unlock", ttl=3.0)
    return {"outcome": str(outcome), "sure": outcome.delivered or not outcome.maybe_delivered}


async def main() -> None:
    """In place of a server: one request, then the end on SIGTERM."""
    app, stop = Application(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with lifespan(app):
        print(await unlock(app, "front"), flush=True)
        await stop.wait()
    print("stopped")


if __name__ == "__main__":
    asyncio.run(main())
