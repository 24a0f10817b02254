/* SPDX-License-Identifier: MIT */
/*
 * The system: every system call that the allocator makes, the index of the
 * running CPU, locks with an order, and the gate that fork closes.
 */
#ifndef OS_OS_H
#define OS_OS_H

#include "base/base.h"
#include "os/clock.h"
#include "os/cpu.h"
#include "os/gate.h"
#include "os/lock.h"
#include "os/log.h"
#include "os/page_size.h"
#include "os/vm.h"

#endif
