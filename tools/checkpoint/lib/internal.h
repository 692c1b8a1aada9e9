/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIBCHECKPOINT_INTERNAL_H
#define LIBCHECKPOINT_INTERNAL_H

#include <checkpoint.h>

#define EXPORT	__attribute__((visibility("default")))

#endif
