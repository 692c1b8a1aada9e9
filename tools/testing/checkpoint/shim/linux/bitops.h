/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_BITOPS_H
#define _SHIM_LINUX_BITOPS_H

#define hweight8(w)	((unsigned int)__builtin_popcount((u8)(w)))
#define __ffs(word)	((unsigned long)__builtin_ctzl(word))

#endif
