"""A worker that takes jobs from a shared subscription and acknowledges each when it is done. Run: python worker.py [URL]"""

import signal
import sys

import leveret


def work(job: leveret.Message) -> str:
    return job.payload.decode().upper()


def main(url: str = "mqtt://localhost") -> None:
    client = leveret.Client(
        url,
        # The session outlives the process: jobs that were not done come again.
        client_id="worker-1",
        clean_start=False,
        session_expiry="24h",
        manual_ack=True,
        receive_maximum=10,
        # They come as soon as there is a connection, so it is said first who takes them.
        start=False,
    )
    jobs = client.subscription("$share/workers/jobs/+", qos=1)
    client.start()
    # Python runs this in the main thread, also while it waits for a job.
    signal.signal(signal.SIGTERM, lambda *_: jobs.close())
    with client, jobs:
        print("ready", flush=True)
        for job in jobs:
            result = work(job)
            client.publish(f"results/{job.levels[1]}", result, ttl="10m").wait()
            # Only now; a crash before this line means that the job is done again.
            job.ack()
            print("done", job.levels[1], result, flush=True)
    print("stopped")


if __name__ == "__main__":
    main(*sys.argv[1:])
