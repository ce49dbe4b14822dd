"""What a scenario can run against, by name: `INSIDE` belongs to the suite, `REAL` are brokers of other makers."""

from brokers.inside import Embedded, Scripted
from brokers.proxies import Microsocks, Tinyproxy
from brokers.real import Aedes, Amqtt, Ejabberd, Mosquitto, MosquittoWebSocket, Nats, Rabbitmq, Rumqttd

INSIDE = {"embedded": Embedded, "scripted": Scripted}
REAL = {each.name: each for each in (Mosquitto, MosquittoWebSocket, Rabbitmq, Nats, Ejabberd, Aedes, Amqtt, Rumqttd)}
#: What can stand between, by the value of a scenario's variable `proxy`.
PROXIES = {each.name: each for each in (Tinyproxy, Microsocks)}
