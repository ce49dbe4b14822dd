"""The first steps: connect, subscribe, post a letter, ask what became of it. Run: python quickstart.py [URL]"""

import sys
import threading

import leveret


def main(url: str = "mqtt://localhost") -> None:
    received = threading.Event()
    with leveret.Client(url) as client:

        @client.on("doors/+/state", qos=1)
        def tell(message: leveret.Message) -> None:
            # On a thread of the client's own, one message after another.
            print("received", message.levels[1], message.payload.decode())
            received.set()

        # Online or offline, this returns at once; the letter lives for an hour unless told otherwise.
        receipt = client.publish("doors/front/state", "closed", ttl="5s")
        outcome = receipt.wait()
        if outcome.ok:
            received.wait(5)
    # Leaving the block sent what waited, let the handler return, and said goodbye.
    print(outcome)
    if outcome.maybe_delivered:
        print("the broker may have it all the same")


if __name__ == "__main__":
    main(*sys.argv[1:])
