"""Requests and their responses, both sides in one program. Run: python request_reply.py [URL]"""

import asyncio
import sys

import leveret


async def main(url: str = "mqtt://localhost") -> None:
    async with leveret.AsyncClient(url, protocol="5") as server, leveret.AsyncClient(url, protocol="5") as client:

        async def shout(message: leveret.Message) -> None:
            # Answered by hand; `@server.serve("services/shout")` answers with what its function returns.
            message.respond(message.payload.upper())

        await server.subscribe("services/shout", shout)
        words = ("one", "two")
        # What nobody waits for any more is not carried out: a request lives no longer than its timeout.
        responses = await asyncio.gather(*(client.request("services/shout", word, timeout=5) for word in words))
        print(*(response.payload.decode() for response in responses))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
