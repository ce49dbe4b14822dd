"""The real brokers: how each is found, configured and started; tests/scripts/broker.sh installs them."""

from __future__ import annotations

import json
import pathlib
import re
from urllib.parse import quote

from brokers.server import INTEROP, Server, first_line, free_port, program
from brokers.transports import certificates

HERE = pathlib.Path(__file__).resolve().parent


class Mosquitto(Server):
    name = "mosquitto"
    light = True
    # Debian builds it without WebSocket; see MosquittoWebSocket.
    transports = ("tcp", "tls12", "tls13", "mutual12", "mutual13", "unix")

    @classmethod
    def version(cls) -> str | None:
        found = program("mosquitto")
        return found and first_line([found, "-h"]).split()[-1]

    def configure(self) -> None:
        # It gives up root for an account of its own, which is to write here.
        self.folder.chmod(0o777)
        self.tls, self.mutual = free_port(), free_port()
        secure = secure_listener()
        (self.folder / "mosquitto.conf").write_text(
            "allow_anonymous true\npersistence true\n"
            f"persistence_location {self.folder}/\nautosave_interval 1\nautosave_on_changes true\n"
            f"listener {self.port} 127.0.0.1\nlistener 0 {self.folder}/socket\n"
            f"listener {self.tls} 127.0.0.1\n{secure}listener {self.mutual} 127.0.0.1\n{secure}require_certificate true\n"
        )

    def commands(self) -> list[list[str]]:
        return [[program("mosquitto"), "-c", "mosquitto.conf"]]

    def ports(self) -> list[int]:
        return [self.port, self.tls, self.mutual]

    def url(self, variables: dict[str, str]) -> str:
        match variables.get("transport", "tcp"):
            case "unix":
                return f"mqtt+unix://{quote(str(self.folder))}/socket"
            case "tls12" | "tls13":
                return f"mqtts://127.0.0.1:{self.tls}"
            case "mutual12" | "mutual13":
                return f"mqtts://127.0.0.1:{self.mutual}"
            case _:
                return f"mqtt://127.0.0.1:{self.port}"


def secure_listener() -> str:
    """What makes a listener of mosquitto one with TLS."""
    files = certificates(INTEROP / "certificates")
    return f"cafile {files['ca.pem']}\ncertfile {files['server.pem']}\nkeyfile {files['server.key']}\n"


class MosquittoWebSocket(Mosquitto):
    """The same release from its sources, which only `make transports` builds."""

    name = "mosquitto-websocket"
    light = False
    transports = ("ws", "wss12", "wss13")
    installed = INTEROP / "mosquitto-websocket/mosquitto"

    @classmethod
    def version(cls) -> str | None:
        return first_line([str(cls.installed), "-h"]).split()[-1] if cls.installed.exists() else None

    def configure(self) -> None:
        super().configure()
        self.ws, self.wss = free_port(), free_port()
        with (self.folder / "mosquitto.conf").open("a") as more:
            more.write(f"listener {self.ws} 127.0.0.1\nprotocol websockets\nlistener {self.wss} 127.0.0.1\nprotocol websockets\n{secure_listener()}")

    def commands(self) -> list[list[str]]:
        return [[str(self.installed), "-c", "mosquitto.conf"]]

    def ports(self) -> list[int]:
        return [*super().ports(), self.ws, self.wss]

    def url(self, variables: dict[str, str]) -> str:
        return f"ws://127.0.0.1:{self.ws}" if variables["transport"] == "ws" else f"wss://127.0.0.1:{self.wss}"


class Rabbitmq(Server):
    """With its MQTT plug-in; whoever does not log in is its user `guest`. Its port mapper is a process of ours too."""

    name = "rabbitmq"

    @classmethod
    def version(cls) -> str | None:
        return after("/usr/lib/rabbitmq/lib", "rabbitmq_server-")

    def configure(self) -> None:
        self.mapper, self.distribution = free_port(), free_port()
        (self.folder / "plugins").write_text("[rabbitmq_mqtt].\n")
        (self.folder / "none").write_text("")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp = none\nmqtt.listeners.tcp.1 = 127.0.0.1:{self.port}\nmqtt.allow_anonymous = true\nlog.console = true\nlog.file = false\n"
        )

    def commands(self) -> list[list[str]]:
        mapper = [program("epmd"), "-address", "127.0.0.1", "-port", str(self.mapper)]
        return [mapper, ["/usr/lib/rabbitmq/bin/rabbitmq-server"]]

    def environment(self) -> dict[str, str]:
        folder = str(self.folder)
        return {
            "HOME": folder,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.mapper),
            "RABBITMQ_NODENAME": f"leveret{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self.distribution),
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/none",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": folder,
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
            # The script then becomes the broker, so that a signal reaches it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }


class Nats(Server):
    """With JetStream, where its MQTT keeps sessions and messages."""

    name = "nats"

    @classmethod
    def version(cls) -> str | None:
        found = program("nats-server")
        return found and first_line([found, "--version"]).removeprefix("nats-server: v")

    def configure(self) -> None:
        (self.folder / "nats.conf").write_text(
            f"server_name: leveret\nlisten: 127.0.0.1:{free_port()}\njetstream {{ store_dir: {self.folder}/store }}\n"
            # What a client did not acknowledge before a restart comes again after ack_wait, 30 s unless configured.
            f"mqtt {{ listen: 127.0.0.1:{self.port}, ack_wait: 2s }}\n"
        )

    def commands(self) -> list[list[str]]:
        return [[program("nats-server"), "-c", "nats.conf"]]


class Ejabberd(Server):
    """With mod_mqtt; its anonymous log-in takes any name and password. Without Erlang's distribution it listens to nothing else."""

    name = "ejabberd"
    login = ("username=anyone", "password=any")

    @classmethod
    def version(cls) -> str | None:
        found = [re.search(r'{vsn, *"(.*)"}', each.read_text()) for each in pathlib.Path("/usr/lib").glob("*/ejabberd-*/ebin/ejabberd.app")]
        return found[0][1] if found and found[0] else None

    def configure(self) -> None:
        (self.folder / "ejabberd.yml").write_text(
            "hosts: [localhost]\nloglevel: warning\nauth_method: [anonymous]\nanonymous_protocol: both\n"
            f'listen:\n  - {{port: {self.port}, ip: "127.0.0.1", module: mod_mqtt}}\nmodules:\n  mod_mqtt: {{}}\n'
        )

    def commands(self) -> list[list[str]]:
        return [[program("erl"), "-noinput", "-mnesia", "dir", f'"{self.folder}/mnesia"', "-s", "ejabberd"]]

    def environment(self) -> dict[str, str]:
        libraries = next(pathlib.Path("/usr/lib").glob("*/ejabberd-*")).parent
        return {
            "HOME": str(self.folder),
            "ERL_LIBS": str(libraries),
            "EJABBERD_CONFIG_PATH": f"{self.folder}/ejabberd.yml",
            "EJABBERD_LOG_PATH": f"{self.folder}/ejabberd.log",
        }


class Aedes(Server):
    """From npm, with its store on disk; TLS is Node's, WebSocket that of the package `ws`."""

    name = "aedes"
    light = True
    # For another opinion on WebSocket; more of its TLS, which is slow, would show nothing that mosquitto's does not.
    transports = ("tcp", "ws", "wss13")
    installed = INTEROP / "aedes"

    @classmethod
    def version(cls) -> str | None:
        package = cls.installed / "node_modules/aedes/package.json"
        return json.loads(package.read_text())["version"] if package.exists() else None

    @classmethod
    def offers(cls, variables: dict[str, str]) -> bool:
        # It speaks no MQTT 5, which its own table shows; no need to show it again on each of the ways to it.
        return super().offers(variables) and not ("transport" in variables and variables.get("version") == "5")

    def configure(self) -> None:
        self.listeners = {transport: free_port() for transport in ("tls", "mutual", "ws", "wss")}

    def commands(self) -> list[list[str]]:
        ports = json.dumps({"tcp": self.port, **self.listeners})
        files = certificates(INTEROP / "certificates")
        return [[program("node"), str(HERE / "aedes.mjs"), str(self.installed), ports, str(self.folder / "store"), str(files["ca.pem"].parent)]]

    def ports(self) -> list[int]:
        return [self.port, *self.listeners.values()]

    def url(self, variables: dict[str, str]) -> str:
        transport = variables.get("transport", "tcp").rstrip("123")
        scheme = {"tcp": "mqtt", "tls": "mqtts", "mutual": "mqtts"}.get(transport, transport)
        return f"{scheme}://127.0.0.1:{self.listeners.get(transport, self.port)}"


class Amqtt(Server):
    """From PyPI, with its plug-in that keeps sessions in SQLite. It keeps nothing for who is anonymous: hence the login, which may be any."""

    name = "amqtt"
    login = ("username=anyone", "password=any")
    installed = INTEROP / "amqtt"

    @classmethod
    def version(cls) -> str | None:
        return after(cls.installed / "lib", "amqtt-", "python3*/site-packages/amqtt-*.dist-info", ".dist-info")

    def configure(self) -> None:
        (self.folder / "amqtt.yaml").write_text(
            f"listeners:\n  default:\n    type: tcp\n    bind: 127.0.0.1:{self.port}\n"
            "plugins:\n  amqtt.plugins.authentication.AnonymousAuthPlugin:\n    allow_anonymous: false\n"
            "  amqtt.contrib.persistence.SessionDBPlugin:\n"
            f"    connection: sqlite+aiosqlite:///{self.folder}/sessions.db\n    clear_on_shutdown: false\n"
        )

    def commands(self) -> list[list[str]]:
        return [[str(self.installed / "bin/amqtt"), "-c", "amqtt.yaml"]]


class Rumqttd(Server):
    """From crates.io; it has a port for each version of MQTT, and keeps all in memory."""

    name = "rumqttd"
    installed = INTEROP / "rumqttd/bin/rumqttd"

    @classmethod
    def version(cls) -> str | None:
        return first_line([str(cls.installed), "--version"]).split()[-1] if cls.installed.exists() else None

    def configure(self) -> None:
        self.port5 = free_port()
        limits = "connection_timeout_ms = 60000\nmax_payload_size = 2097152\nmax_inflight_count = 100\n"
        (self.folder / "rumqttd.toml").write_text(
            "id = 0\n[router]\nid = 0\nmax_connections = 1000\nmax_outgoing_packet_count = 200\nmax_segment_size = 104857600\n"
            "max_segment_count = 10\n"
            + "".join(
                f'[{group}]\nname = "{group}"\nlisten = "127.0.0.1:{port}"\nnext_connection_delay_ms = 1\n[{group}.connections]\n{limits}'
                for group, port in (("v4.1", self.port), ("v5.1", self.port5))
            )
        )

    def commands(self) -> list[list[str]]:
        return [[str(self.installed), "-c", "rumqttd.toml"]]

    def ports(self) -> list[int]:
        return [self.port, self.port5]

    def url(self, variables: dict[str, str]) -> str:
        return f"mqtt://127.0.0.1:{self.port5 if variables.get('version') == '5' else self.port}"


def after(folder: str | pathlib.Path, prefix: str, pattern: str | None = None, suffix: str = "") -> str | None:
    """The version in the name of what is installed in a folder."""
    found = sorted(pathlib.Path(folder).glob(pattern or f"{prefix}*"))
    return found[0].name.removeprefix(prefix).removesuffix(suffix) if found else None
