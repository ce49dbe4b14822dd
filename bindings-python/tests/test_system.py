"""What the operating system lends: descriptors that run out, and the number of threads of the runtime."""

from __future__ import annotations

import subprocess
import sys

WITHOUT_DESCRIPTORS = """
import os, sys
import leveret
held = []
try:
    while True:
        held.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass
try:
    leveret.Client(sys.argv[1])
    print("made")
except leveret.MqttError as error:
    print(error.code, str(error))
for descriptor in held:
    os.close(descriptor)
with leveret.Client(sys.argv[1]) as client:
    client.wait_for("online", timeout=20)
print("online")
"""

THREADS = """
import os, sys, time
import leveret
def named(name):
    return [open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")].count(name)
try:
    leveret.set_runtime_threads(0)
except leveret.ConfigurationError as error:
    print(error)
leveret.set_runtime_threads(3)
with leveret.Client(sys.argv[1]) as client:
    client.wait_for("online", timeout=20)
    # A thread has its name from its first moment on a processor, which may come after the first connection.
    end = time.monotonic() + 20
    while named("leveret-net") < 3 and time.monotonic() < end:
        time.sleep(0.01)
    print(named("leveret-net"))
    try:
        leveret.set_runtime_threads(2)
    except leveret.ConfigurationError as error:
        print("too late")
"""


def run(program: str, url: str, limit: int) -> list[str]:
    command = ["sh", "-c", f'ulimit -n {limit} && exec "$0" "$@"', sys.executable, "-c", program, url]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_without_a_descriptor_left_a_client_says_so_and_works_when_there_are_some_again(broker):
    told = run(WITHOUT_DESCRIPTORS, broker.url, 128)
    # MQTT_SYSTEM, with what the system said.
    assert told[0].startswith("MQTT_SYSTEM "), told
    assert told[1:] == ["online"]


def test_the_number_of_runtime_threads_is_set_before_the_first_client(broker):
    told = run(THREADS, broker.url, 1024)
    assert "0" in told[0]
    assert told[1:] == ["3", "too late"]
