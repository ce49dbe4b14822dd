/*
 * The C ABI of leveret.
 */

#ifndef LEVERET_H
#define LEVERET_H

#pragma once

/* Generated from ffi-c/src by `make generate`: changes belong there. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#endif  /* LEVERET_H */
