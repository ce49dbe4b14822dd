"""The ways to a broker by the names that scenarios give them, and what a client is told to go each of them."""

from __future__ import annotations

import pathlib
import subprocess
import tempfile

#: What the test broker is told. Both versions of TLS are spoken by one broker; the client is the one who insists.
EMBEDDED = {
    "tcp": (),
    "tls12": ("tls=true",),
    "tls13": ("tls=true",),
    "mutual12": ("client_certificates=true",),
    "mutual13": ("client_certificates=true",),
    # Where the client also has to offer the right protocol (ALPN).
    "cloud12": ("client_certificates=true", "alpn=x-amzn-mqtt-ca"),
    "cloud13": ("client_certificates=true", "alpn=x-amzn-mqtt-ca"),
    # Where the client has none.
    "stranger12": ("client_certificates=true",),
    "stranger13": ("client_certificates=true",),
    "ws": ("websocket=true",),
    "wss12": ("websocket=true", "tls=true"),
    "wss13": ("websocket=true", "tls=true"),
    "unix": ("unix_socket=true",),
    # Where the key of the client's certificate is elsewhere, and a function signs; or refuses to.
    "signed12": ("client_certificates=true",),
    "signed13": ("client_certificates=true",),
    "locked13": ("client_certificates=true",),
    # Where URL and headers have to be the right ones.
    "signed_ws": ("websocket=true", "websocket_path=/mqtt?token=of-now", "websocket_header=x-token: fresh"),
    "signed_wss13": ("websocket=true", "tls=true", "websocket_path=/mqtt?token=of-now", "websocket_header=x-token: fresh"),
}


FILES = ("ca.pem", "ca.key", "server.pem", "server.key", "client.pem", "client.key")
#: Those of them that are TLS of one version.
SECURE = tuple(name for name in EMBEDDED if name.endswith(("12", "13")))


def secure(transport: str, ca: str, certificate: str, key: str) -> tuple[str, ...]:
    """The options of a client that goes one of these ways to a broker with certificates of this authority, all as PEM.

    Where a function signs, the key is the name of its file.
    """
    version = ".".join(transport[-2:])
    own: tuple[str, ...] = ()
    if transport.startswith(("mutual", "cloud")):
        own = (f"tls_cert={certificate}", f"tls_key={key}")
    elif transport in ("signed12", "signed13", "locked13"):
        own = (f"tls_cert={certificate}", f"signer={'refuse' if transport == 'locked13' else key}")
    return (f"tls_ca={ca}", f"tls_min_version={version}", f"tls_max_version={version}", *own)


def certificates(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """Files of an authority, of a server on this machine and of a client, in this folder; made once."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as new:
            made = pathlib.Path(new) / "certificates"
            made.mkdir()
            make_certificates(made)
            try:
                made.rename(folder)
            except OSError:
                # Another run was quicker; its files do as well.
                pass
    return {name: folder / name for name in FILES}


def make_certificates(folder: pathlib.Path) -> None:
    """By OpenSSL: a second opinion on what certificates look like."""
    files = {name: folder / name for name in FILES}
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"]
    openssl(*new, "-subj", "/CN=leveret interop CA", "-keyout", files["ca.key"], "-out", files["ca.pem"])
    by_ca = ["-CA", files["ca.pem"], "-CAkey", files["ca.key"], "-addext", "basicConstraints=critical,CA:FALSE"]
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    openssl(*new, *by_ca, "-subj", "/CN=server", "-addext", names, "-keyout", files["server.key"], "-out", files["server.pem"])
    openssl(*new, *by_ca, "-subj", "/CN=client", "-keyout", files["client.key"], "-out", files["client.pem"])
    # A broker that gives up root for an account of its own reads its key as that.
    files["server.key"].chmod(0o644)


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
