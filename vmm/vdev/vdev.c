/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vdev/vdev.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "vmm/vdev/hostdev.h"
#include "vmm/vdev/plugin.h"

enum { LOCK_PATIENCE_MS = 50 };

extern const struct vdev_class *const __start_qvm_vdev[];
extern const struct vdev_class *const __stop_qvm_vdev[];

void vdev_class_name(const char *word, char ret[static VDEV_NAME])
{
	size_t n;

	if (!strncmp(word, "vdev-", 5))
		word += 5;
	str_copy(ret, VDEV_NAME, word);
	n = strlen(ret);
	if (n > 3 && !strcmp(ret + n - 3, ".so"))
		ret[n - 3] = '\0';
}

const struct vdev_class *vdev_class_next(unsigned *state)
{
	size_t n = (size_t)(__stop_qvm_vdev - __start_qvm_vdev);

	if (*state < n)
		return __start_qvm_vdev[(*state)++];
	return plugin_class((*state)++ - (unsigned)n);
}

const struct vdev_class *vdev_class_find(const char *name)
{
	unsigned i = 0;

	for (const struct vdev_class *c = vdev_class_next(&i); c; c = vdev_class_next(&i))
		if (!strcmp(c->name, name))
			return c;
	return plugin_find(name);
}

struct vdev *vdev_new(const struct vdev_class *class, unsigned line)
{
	struct vdev *d = calloc(1, sizeof *d);

	if (!d)
		abort();
	d->class = class;
	d->line = line;
	d->intr = class->intr;
	d->room_fd = d->slot = -1;
	str_copy(d->name, sizeof d->name, class->name);
	for (; d->n_regions < VDEV_REGIONS && class->region[d->n_regions].bytes; d->n_regions++)
		d->region[d->n_regions] =
			(struct vdev_region){class->space, class->region[d->n_regions].base,
					     class->region[d->n_regions].bytes};
	pthread_mutex_init(&d->lock, NULL);
	d->state = calloc(1, class->state_bytes ? class->state_bytes : 1);
	if (!d->state)
		abort();
	if (class->init)
		class->init(d);
	return d;
}

struct vdev *vdev_free(struct vdev *d)
{
	if (!d)
		return NULL;
	if (d->class->destroy)
		d->class->destroy(d);
	d->hostdev = hostdev_free(d->hostdev);
	for (unsigned i = 0; i < d->n_wants; i++)
		if (d->want[i].fd >= 0)
			close(d->want[i].fd);
	pthread_mutex_destroy(&d->lock);
	free(d->loggers);
	free(d->state);
	free(d);
	return NULL;
}

void vdev_log_err(const struct vdev *d, const struct err *e)
{
	struct log_about about = {.err = e, .loggers = d->loggers};

	log_error(&about, "vdev %s: %s", d->name, e->msg);
}

bool vdev_is_function(const struct vdev *d)
{
	return d->class->is_pci && d->n_regions == 0;
}

bool vdev_is_console(const struct vdev *d)
{
	for (unsigned i = 0; i < d->n_wants; i++)
		if (!strcmp(d->want[i].path, "-"))
			return d->class->input != NULL;
	return d->class->input && d->n_wants == 0;
}

/* A vCPU may keep the lock while the host's disk lets it wait. The worker's loop must not wait with
 * it: it is the one that ends such a machine. */
bool vdev_lock_soon(struct vdev *d)
{
	struct timespec until;

	if (pthread_mutex_trylock(&d->lock) == 0)
		return true;
	until = clock_mono_in(LOCK_PATIENCE_MS);
	return pthread_mutex_clocklock(&d->lock, CLOCK_MONOTONIC, &until) == 0;
}

size_t vdev_room(struct vdev *d)
{
	size_t n;

	if (!d->class->input || !vdev_lock_soon(d))
		return 0;
	n = d->class->room(d);
	pthread_mutex_unlock(&d->lock);
	return n;
}

size_t vdev_input(struct vdev *d, const uint8_t *bytes, size_t n)
{
	size_t room;

	if (!d->class->input || !vdev_lock_soon(d))
		return 0;
	room = d->class->room(d);
	if (n > room)
		n = room;
	if (n)
		d->class->input(d, bytes, n);
	pthread_mutex_unlock(&d->lock);
	return n;
}

int vdev_want(struct vdev *d, uint32_t kind, const char *path, struct err *e)
{
	struct vdev_want *w = &d->want[d->n_wants];

	if (d->n_wants == VDEV_WANTS)
		return err_set(e, CONFIG, "vdev '%s' names more than %d host files", d->name,
			       VDEV_WANTS);
	w->kind = kind;
	w->fd = -1;
	if (!str_copy(w->path, sizeof w->path, path))
		return err_set(e, CONFIG, "vdev '%s': the path is over %d bytes", d->name,
			       VDEV_PATH);
	d->n_wants++;
	return 0;
}
