/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dsdt.h - the code of a board's DSDT: soft off, pvpanic, and the PCI host bridge with its ranges and
 * the routing of INTA to INTD. Worker; assembly only.
 */
#pragma once

struct aml;
struct board;
struct vdev;

/* The vdev of that class, or NULL. */
const struct vdev *dsdt_find(const struct board *b, const char *class);
/* *ret is written from its start. */
void dsdt_write(const struct board *b, struct aml *ret);
