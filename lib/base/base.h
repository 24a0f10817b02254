/* SPDX-License-Identifier: MIT */
/* The bottom layer: words, lists and panics. It keeps no state. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include "base/compiler.h"
#include "base/bits.h"
#include "base/list.h"
#include "base/panic.h"
#include "base/tree.h"

#endif
