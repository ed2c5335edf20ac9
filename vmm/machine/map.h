/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h - the board's map in the black box: who answers which address, port, line and PCI slot, for
 * readers outside and after the end. Worker; drawn once, at assembly.
 */
#pragma once

struct blackbox_map;
struct board;
struct memory;
struct space;

/* RAM and ROM come first: a guest dump is written by these rows. BARs tell from then on where they
 * are (vmm/pci/function.h). */
void map_draw(struct blackbox_map *box, const struct board *b, const struct memory *memory,
	      const struct space *mem, const struct space *port);
