/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adapter.h - a class of the SDK (sdk.h) as a class of ours (vdev.h). Worker. plugin.c finds the class
 * in a shared object; from here on it is a vdev like others.
 */
#pragma once

#include "base/err.h"

struct qvm_vdev_class;
struct vdev_class;

/* Our class for the SDK's, which must live on; the object that it came from is named `name`. Never
 * freed: a process loads an object once. CONFIG with what the author has to change. */
int adapter_make(const struct qvm_vdev_class *sdk, const char *name, const struct vdev_class **ret,
		 struct err *e);
