/* SPDX-License-Identifier: GPL-2.0-only */
/* Where random mappings are: known to the subject and the test. */
#ifndef CHECKPOINT_MAPGEN_H
#define CHECKPOINT_MAPGEN_H

#define MAPGEN_START	0x100000000000UL
#define MAPGEN_END	0x110000000000UL
#define MAPGEN_STEP	(1UL << 24)
#define MAPGEN_ROUNDS	10	/* maps of one subject */

#endif /* CHECKPOINT_MAPGEN_H */
