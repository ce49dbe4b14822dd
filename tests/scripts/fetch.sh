#!/usr/bin/env bash
# Fetches tools and brokers that several parts of the tests need, while the build keeps the processor busy. What cannot be had here is
# tried again by the part that needs it, which then says what it skips.
source "$(dirname "$0")/env.sh"
missing=0

# needs PACKAGE PROGRAM: a program of the package manager
needs() { have "$2" || install_package "$1" || missing=1; }

tests/scripts/venv.sh || missing=1
needs valgrind valgrind
needs cmake cmake
needs pkg-config pkg-config
for broker in mosquitto ejabberd aedes; do tests/scripts/broker.sh "$broker" || missing=1; done
exit "$missing"
