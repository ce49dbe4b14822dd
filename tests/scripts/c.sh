#!/usr/bin/env bash
# The C door from C: headers and test programs, under sanitizers and valgrind too.
source "$(dirname "$0")/env.sh"
exec ffi-c/tests/run.sh
