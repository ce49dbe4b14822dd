#!/usr/bin/env bash
# Prints the path of a mosquitto broker, installing it where that needs no question; else says why not and fails.
source "$(dirname "$0")/env.sh"
# Its place on Debian is not on everybody's PATH.
find_it() { PATH=$PATH:/usr/sbin:/usr/local/sbin command -v mosquitto; }

find_it && exit 0
install_package mosquitto
find_it
