/* SPDX-License-Identifier: GPL-2.0-only */
/* libc's errno.h includes this file: it must not include libc's in turn. */
#ifndef _SHIM_LINUX_ERRNO_H
#define _SHIM_LINUX_ERRNO_H

#include <asm/errno.h>

#endif
