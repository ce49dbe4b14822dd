#!/usr/bin/env bash
# Installs a real broker or proxy by its name, where that needs no question; else says why not in the last line and fails.
# What comes by the package manager stays in the system; the rest goes to target/interop. The versions are those that limits.txt speaks of.
source "$(dirname "$0")/env.sh"
INTEROP=$TARGET/interop
mkdir -p "$INTEROP"

# on_path NAME: some have their place where not everybody's PATH looks.
on_path() { PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "$1" >/dev/null; }

# from_cargo NAME VERSION: without its lock file, which names releases that newer compilers refuse.
from_cargo() {
  [ -x "$INTEROP/$1/bin/$1" ] && return
  cargo install --quiet "$1" --version "$2" --no-default-features --root "$INTEROP/$1" --target-dir "$INTEROP/build"
  rm -rf "$INTEROP/build"
}

# Debian builds mosquitto without WebSocket: its sources, by the machine's own package sources, with what Debian leaves out.
mosquitto_with_websocket() {
  local place=$INTEROP/mosquitto-websocket
  [ -x "$place/mosquitto" ] && return
  have apt-get || { echo "there is no apt-get to get the sources of mosquitto with" >&2; exit 1; }
  local build=$INTEROP/build
  rm -rf "$place" "$build" && mkdir -p "$place" "$build"/{parts,lists/partial,archives/partial}
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian*; do
    [ ! -e "$file" ] || sed -e 's/^Types: deb$/Types: deb-src/' -e 's/^deb /deb-src /' "$file" >"$build/parts/$(basename "$file")"
  done
  local apt=(apt-get -q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$build/parts"
    -o "Dir::State::Lists=$build/lists" -o "Dir::Cache::archives=$build/archives" -o APT::Sandbox::User=root)
  "${apt[@]}" update >&2
  (cd "$build" && "${apt[@]}" source --download-only mosquitto >&2 && tar xzf mosquitto_*.orig.tar.gz --strip-components 1)
  install_package libwebsockets-dev libssl-dev
  make -C "$build/src" mosquitto WITH_WEBSOCKETS=yes WITH_CJSON=no WITH_SYSTEMD=no WITH_BUNDLED_DEPS=yes >&2
  mv "$build/src/mosquitto" "$place/mosquitto"
  rm -rf "$build"
}

case $1 in
  mosquitto) on_path mosquitto || install_package mosquitto ;;
  mosquitto-websocket) mosquitto_with_websocket ;;
  nats) on_path nats-server || install_package nats-server ;;
  ejabberd) on_path ejabberdctl || install_package ejabberd ;;
  rabbitmq) [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || install_package rabbitmq-server ;;
  aedes)
    have npm || { echo "npm is not on PATH" >&2; exit 1; }
    [ -d "$INTEROP/aedes/node_modules/aedes" ] && [ -d "$INTEROP/aedes/node_modules/ws" ] ||
      npm install --prefix "$INTEROP/aedes" --silent --no-audit --no-fund --no-package-lock \
        aedes@1.2.0 aedes-persistence-level@9.2.0 level@10.0.0 ws@8.23.0 >&2
    ;;
  amqtt)
    [ -x "$INTEROP/amqtt/bin/amqtt" ] || {
      python3 -m venv --clear "$INTEROP/amqtt"
      "$INTEROP/amqtt/bin/python" -m pip install --quiet --disable-pip-version-check \
        amqtt==0.12.1 'sqlalchemy[asyncio]' aiosqlite >&2
    }
    ;;
  rumqttd) from_cargo rumqttd 0.20.0 ;;
  tinyproxy | microsocks) on_path "$1" || install_package "$1" ;;
  *) echo "there is no broker $1" >&2; exit 1 ;;
esac
