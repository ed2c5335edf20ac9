/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin.h - vdevs in shared objects, vdev-NAME.so of one folder (sdk.h is what they are written
 * against). Worker.
 *
 * An object is loaded when its class is first looked for; that must be before the sandbox closes,
 * which maps no more code. A lone worker reads its configuration before; a supervised one does so in
 * the sandbox, and loads those before whose names are anywhere in the text. A VM that names none pays
 * for listing the folder. What is wrong with an object or the folder is told where `vdev NAME` is, also
 * that it would end whoever loads it (trial.h).
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct vdev_class;

/* List the folder, which trust_open_folder() has judged, here or in the supervisor; in place of one
 * (-1) remember why there is none. */
void plugin_open(int take_folder, const struct err *why);
/* Load those whose names are in that text, or all of them if it is NULL. */
void plugin_load(const char *text, size_t bytes);
/* Nothing can be loaded any more: let go of the files. */
void plugin_seal(void);
/* The class of that name, loaded if need be; NULL if there is none, or it is refused. */
const struct vdev_class *plugin_find(const char *name);
/* The i-th of the loaded classes, NULL behind the last. */
const struct vdev_class *plugin_class(unsigned i);
/* Why the object of that name is not to be had; NULL = there is none, or nothing is wrong with it. */
const char *plugin_refusal(const char *name);
/* Why there are no objects at all; NULL = there is a folder of them, or none was asked for. */
const char *plugin_folder_refusal(void);
