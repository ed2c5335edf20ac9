/* SPDX-License-Identifier: Apache-2.0 */
/* pass_pci.h - the form of `pass loc` that gives the guest a PCI function of the host. Worker. */
#pragma once

struct parse;
struct token;

/* t[1] is `pci:BUS:DEVICE[.FUNCTION]=pci:[DOMAIN:]BUS:DEVICE.FUNCTION`: the guest's place, the host's. */
void pass_pci_loc(struct parse *p, const struct token *t);
