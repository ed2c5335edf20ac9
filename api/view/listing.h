/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.h - VMs as lists show them: the text of each is kept beside the row that it was made of, and
 * made anew when the row is another. qvm-api; owned by main.c.
 *
 * A list of 1,000 VMs is asked for by every dashboard, again and again, and few rows have changed since.
 */
#pragma once

struct listing;

struct listing *listing_new(void);
void listing_free(struct listing *l);
