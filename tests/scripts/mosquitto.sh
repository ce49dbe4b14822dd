#!/usr/bin/env bash
# Prints the path of a mosquitto broker, installing it where that needs no question; else says why not and fails.
source "$(dirname "$0")/env.sh"
# Its place on Debian is not on everybody's PATH.
find_it() { PATH=$PATH:/usr/sbin:/usr/local/sbin command -v mosquitto; }

find_it && exit 0
have apt-get || { echo "mosquitto is not installed, and there is no apt-get to install it with" >&2; exit 1; }
# RUNLEVEL keeps the package from starting its own broker on the standard port.
install() { as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends mosquitto; }
{ install || { as_root apt-get update && install; }; } >&2 </dev/null ||
  { echo "mosquitto is not installed, and apt-get could not install it (it needs root or sudo without a password)" >&2; exit 1; }
find_it
