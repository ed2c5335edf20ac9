/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wiring.h - the vdevs of a board among each other: places and interrupt lines given, controllers
 * there before their users, no line and no name taken twice. Worker.
 */
#pragma once

struct conf_source;
struct draft;
struct findings;

/* KVM's irqchip has as many lines (KVM_IOAPIC_NUM_PINS). */
enum { WIRING_LINES = 24 };

/* Also completes the vdevs: calls each class's check() and resolves the paths it wants. */
void wiring_check(struct draft *d, const struct conf_source *s, struct findings *f);
