/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/board.h"

#include <stdlib.h>
#include <unistd.h>

#include "vmm/vdev/vdev.h"

uint64_t board_memory_bytes(const struct board *b, bool rom)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < b->n_memory; i++)
		if (b->memory[i].is_rom == rom)
			bytes += b->memory[i].bytes;
	return bytes;
}

unsigned board_priority(const struct board *b)
{
	unsigned highest = 0;

	for (unsigned i = 0; b->cpu && i < b->n_cpus; i++)
		if (b->cpu[i].priority > highest)
			highest = b->cpu[i].priority;
	return highest;
}

void board_close_images(struct board *b)
{
	for (unsigned i = 0; i < b->n_loads; i++) {
		if (b->load[i].fd >= 0)
			close(b->load[i].fd);
		b->load[i].fd = -1;
	}
}

struct board *board_free(struct board *b)
{
	if (!b)
		return NULL;
	board_close_images(b);
	if (b->dump_fd >= 0)
		close(b->dump_fd);
	for (unsigned i = 0; i < b->n_vdevs; i++)
		vdev_free(b->vdev[i]);
	free(b->vdev);
	free(b->cpu);
	free(b->load);
	free(b->memory);
	free(b);
	return NULL;
}
