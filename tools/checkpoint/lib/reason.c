// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of the numbers in messages. They are stable, as the numbers are. */
#include "internal.h"

static const char *const reasons[CKPT_WHY_NR] = {
	[CKPT_WHY_OTHER]		= "other",
	[CKPT_WHY_PERMISSION]		= "permission",
	[CKPT_WHY_TIMEOUT]		= "timeout",
	[CKPT_WHY_CHANGED]		= "changed",
	[CKPT_WHY_GONE]			= "gone",
	[CKPT_WHY_CHILD]		= "child",
	[CKPT_WHY_ZOMBIE]		= "zombie",
	[CKPT_WHY_VFORK]		= "vfork",
	[CKPT_WHY_PTRACE]		= "ptrace",
	[CKPT_WHY_KERNEL_TASK]		= "kernel-task",
	[CKPT_WHY_COMPAT]		= "compat",
	[CKPT_WHY_FILE]			= "file",
	[CKPT_WHY_FILE_DELETED]		= "file-deleted",
	[CKPT_WHY_FILE_UNREACHABLE]	= "file-unreachable",
	[CKPT_WHY_FILE_LOCK]		= "file-lock",
	[CKPT_WHY_FILE_OWNER]		= "file-owner",
	[CKPT_WHY_FILE_SHARED]		= "file-shared",
	[CKPT_WHY_MAPPING]		= "mapping",
	[CKPT_WHY_MAPPING_FLAG]		= "mapping-flag",
	[CKPT_WHY_VDSO]			= "vdso",
	[CKPT_WHY_MM]			= "mm",
	[CKPT_WHY_TIMER]		= "timer",
	[CKPT_WHY_SIGNAL]		= "signal",
	[CKPT_WHY_SYSCALL]		= "syscall",
	[CKPT_WHY_CRED]			= "cred",
	[CKPT_WHY_KEYRING]		= "keyring",
	[CKPT_WHY_SECCOMP]		= "seccomp",
	[CKPT_WHY_LSM]			= "lsm",
	[CKPT_WHY_NAMESPACE]		= "namespace",
	[CKPT_WHY_SCHED]		= "sched",
	[CKPT_WHY_PRCTL]		= "prctl",
	[CKPT_WHY_IO]			= "io",
	[CKPT_WHY_IPC]			= "ipc",
	[CKPT_WHY_PERF]			= "perf",
	[CKPT_WHY_CPU]			= "cpu",
	[CKPT_WHY_IMAGE]		= "image",
	[CKPT_WHY_MISMATCH]		= "mismatch",
	[CKPT_WHY_FILE_MISSING]		= "file-missing",
	[CKPT_WHY_FILE_CHANGED]		= "file-changed",
	[CKPT_WHY_PID_IN_USE]		= "pid-in-use",
	[CKPT_WHY_LIMIT]		= "limit",
	[CKPT_WHY_EXTERNAL]		= "external",
	[CKPT_WHY_SESSION]		= "session",
	[CKPT_WHY_CGROUP]		= "cgroup",
};

/**
 * checkpoint_reason_name() - the short name of a reason code
 * @code: enum ckpt_reason, as in struct checkpoint_message
 *
 * Return: a name that never changes, such as "file-lock"; "unknown" for a
 * code that this library does not know.
 */
EXPORT const char *checkpoint_reason_name(int code)
{
	if (code < 0 || code >= CKPT_WHY_NR || !reasons[code])
		return "unknown";
	return reasons[code];
}

/**
 * checkpoint_kind_name() - the first word of a message
 * @kind: enum checkpoint_message_kind
 *
 * Return: "obstacle", "error" or "note"; NULL for another number.
 */
EXPORT const char *checkpoint_kind_name(int kind)
{
	switch (kind) {
	case CHECKPOINT_OBSTACLE:
		return "obstacle";
	case CHECKPOINT_ERROR:
		return "error";
	case CHECKPOINT_NOTE:
		return "note";
	}
	return NULL;
}
