/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots.h - the PCI functions of a board: `loc pci:` of each unique, the others on free devices.
 * Worker.
 */
#pragma once

struct draft;
struct findings;

/* Give every PCI function its slot. Device 0 is the host bridge's; what `reserve loc pci:` names and
 * what follows from it is not given automatically. */
void slots_assign(struct draft *d, struct findings *f);
