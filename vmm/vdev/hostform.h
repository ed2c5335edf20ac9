/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostform.h - how a configuration writes the host's ends of a line: the forms of `hostdev`, and its
 * other options. Worker; each is the set() of an option, for a vdev that has a hostdev
 * (vmm/vdev/hostdev.h).
 */
#pragma once

#include "base/err.h"

struct vdev;

/* Each form wants host resources of its kind; ERR_CONFIG with what to write. */
int hostform_set(struct vdev *d, const char *form, struct err *e);
int hostform_delayed(struct vdev *d, const char *value, struct err *e);
int hostform_batch(struct vdev *d, const char *value, struct err *e);
int hostform_sched(struct vdev *d, const char *value, struct err *e);

#define HOSTFORM_OPTIONS                                                                           \
	{"hostdev", "FORM",                                                                        \
	 "the host's end: >FILE, <FILE, FILE (both), >- (console), -, >\"|COMMAND\", pty[:LINK], " \
	 "unix:PATH",                                                                              \
	 hostform_set},                                                                            \
		{"delayed", "SECONDS|forever",                                                     \
		 "how long a lone qvm tries again to open a hostdev that is not there",            \
		 hostform_delayed},                                                                \
	{                                                                                          \
		"sched", "PRIORITY", "priority of input (refused: it has no thread)",              \
			hostform_sched                                                             \
	}
