/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demand.h - what single vdevs demand of the guest as a whole: its RAM, and a driver for each. Worker;
 * reports into the findings of one conf_read().
 */
#pragma once

struct draft;
struct findings;

/* After the options of every vdev are complete. */
void demand_check(const struct draft *d, struct findings *f);
