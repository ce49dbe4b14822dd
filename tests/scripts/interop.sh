#!/usr/bin/env bash
# Real brokers, one after the other: installs them, starts them on loopback, prints broker × scenario. Its arguments are the names of
# brokers (none: all); LANGUAGES chooses the agents (rust unless given; `all`), SCENARIO a part of their names, TAP=yes writes down each packet.
source "$(dirname "$0")/env.sh"
require_python
brokers=("$@")
[ $# -gt 0 ] || brokers=(mosquitto rabbitmq nats ejabberd aedes amqtt rumqttd)
language=${LANGUAGES:-rust}

export LEVERET_AGENTS=$TARGET/agents
mkdir -p "$LEVERET_AGENTS"
if [ "$language" = rust ]; then
  # Of all agents one is enough: all of them play the same scenarios against mosquitto elsewhere. Built with all the rest, since cargo
  # would build every crate once more, with other features, for one program alone.
  tests/scripts/build.sh
  ln -sf "$TARGET/debug/agent-rust" "$LEVERET_AGENTS/agent-rust"
  python=python3
else
  tests/scripts/agents.sh
  python=$VENV/bin/python
  export LEVERET_PYTHON=$python
fi

there=""
for broker in "${brokers[@]}"; do
  if why=$(tests/scripts/broker.sh "$broker" 2>&1 >/dev/null); then
    there+=${there:+,}$broker
  else
    skip "everything against $broker" "${why##*$'\n'}"
  fi
done
[ -n "$there" ] || { skip "the table of real brokers" "none of ${brokers[*]} could be installed"; exit 0; }
options=(--brokers "$there" --language "$language" --scenario "${SCENARIO:-}")
[ -z "${TAP:-}" ] || options+=(--tap)
exec "$python" tests/conformance/run.py "${options[@]}"
