/* SPDX-License-Identifier: Apache-2.0 */
/* The device by which a guest has shared memory, at a server of one link. */
#include <linux/pci_regs.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/shmem.h"
#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"
#include "vmm/pci/function.h"
#include "vmm/shmem/bell.h"
#include "vmm/shmem/registry.h"

enum { FACTORY, MSIX, WINDOW }; /* BARs */
enum { SHMEM_AT = 8, STATUS = 20, SIZE = 24, NAME = 28, FIND = 60 };
enum { NUMBER = 4, NOTIFY = 8, DETACH = 12 };
#define PLACED UINT64_C(0xe9000000)

/* A server with the device and, by `other`, somebody else. */
struct scene {
	struct vdev_bench bench;
	struct registry registry;
	struct registry_link own, other;
	pthread_t server;
	int link;
	struct shmem_head *head; /* as the other has it */
};

static void *keep(void *arg)
{
	struct scene *s = arg;
	struct shmem_request q;

	while (recv(s->link, &q, sizeof q, 0) == sizeof q) {
		struct shmem_answer a;
		char room[CMSG_SPACE(sizeof(int))] = {0};
		struct iovec part = {&a, sizeof a};
		struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
		int fd;

		registry_serve(&s->registry, &s->own, &q, &a, &fd);
		if (fd >= 0) {
			m.msg_control = room;
			m.msg_controllen = sizeof room;
			CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof fd);
			CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
			CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
			memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof fd);
		}
		if (sendmsg(s->link, &m, MSG_NOSIGNAL) < 0)
			break;
	}
	return NULL;
}

static void open_scene(struct scene *s)
{
	const struct shmem_answer welcome = {0};
	int link[2];

	*s = (struct scene){.registry.budget_bytes = 1 << 24, .own.rules = "/", .other.rules = "/"};
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link), 0);
	s->link = link[0];
	assert_int_equal(send(s->link, &welcome, sizeof welcome, 0), sizeof welcome);
	assert_int_equal(pthread_create(&s->server, NULL, keep, s), 0);
	vdev_bench_make(&s->bench, "shmem");
	s->bench.vdev->slot = 8;
	assert_int_equal(s->bench.vdev->class->check(s->bench.vdev, &(struct err){0}), 0);
	s->bench.vdev->machine = (struct machine *)&s->bench;
	s->bench.vdev->want[0].fd = link[1];
	assert_int_equal(s->bench.vdev->class->assemble(s->bench.vdev, s->bench.vdev->machine,
							&(struct err){0}),
			 0);
	pci_function_place_bar(s->bench.vdev->pci, WINDOW, PLACED);
}

static void close_scene(struct scene *s)
{
	s->bench.vdev->class->stop(s->bench.vdev);
	vdev_bench_close(&s->bench);
	pthread_join(s->server, NULL);
	registry_drop(&s->registry, &s->own);
	registry_drop(&s->registry, &s->other);
	assert_int_equal(s->registry.n_regions, 0);
	if (s->head)
		munmap(s->head, SHMEM_HEAD);
	close(s->link);
}

static uint64_t get(struct scene *s, unsigned bar, uint64_t offset, unsigned width)
{
	struct vdev *d = s->bench.vdev;
	uint64_t value;

	pthread_mutex_lock(&d->lock);
	value = d->class->read(d, bar, offset, width);
	pthread_mutex_unlock(&d->lock);
	return value;
}

static void set(struct scene *s, unsigned bar, uint64_t offset, unsigned width, uint64_t value)
{
	struct vdev *d = s->bench.vdev;

	pthread_mutex_lock(&d->lock);
	d->class->write(d, bar, offset, width, value);
	pthread_mutex_unlock(&d->lock);
}

static void attach(struct scene *s, const char *name, uint32_t pages)
{
	for (unsigned i = 0; i <= strlen(name); i++)
		set(s, FACTORY, NAME + i, 1, (uint8_t)name[i]);
	set(s, FACTORY, SIZE, 4, pages);
}

/* Number 1 of the region; the test's server is idle between two requests of the device. */
static void join_other(struct scene *s, const char *name)
{
	struct shmem_request q = {.op = SHMEM_ATTACH, .pages = 1};
	struct shmem_answer a;
	int fd;

	strcpy(q.name, name);
	registry_serve(&s->registry, &s->other, &q, &a, &fd);
	assert_int_equal(a.status, SHMEM_OK);
	s->head = mmap(NULL, SHMEM_HEAD, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static bool line(struct scene *s)
{
	bool level;

	pthread_mutex_lock(&s->bench.vdev->lock);
	level = s->bench.vdev->pci->wants_line;
	pthread_mutex_unlock(&s->bench.vdev->lock);
	return level;
}

static void until_line(struct scene *s, bool level)
{
	for (unsigned i = 0; i < 10000 && line(s) != level; i++)
		usleep(1000);
	assert_int_equal(line(s), level);
}

TEST(shmem_factory_page_reads_in_every_width)
{
	struct scene s;

	open_scene(&s);
	assert_int_equal(get(&s, FACTORY, 0, 8), UINT64_C(0x4d534732474d5651));
	assert_int_equal(get(&s, FACTORY, 0, 4), 0x474d5651);
	assert_int_equal(get(&s, FACTORY, 7, 1), 0x4d);
	assert_int_equal(get(&s, FACTORY, 16, 4), 17); /* line of device 1 */
	assert_int_equal(get(&s, FACTORY, SHMEM_AT, 8), 0);
	assert_int_equal(get(&s, FACTORY, 64, 8), 0);
	assert_int_equal(get(&s, FACTORY, 4088, 8), 0);
	close_scene(&s);
}

TEST(shmem_name_is_written_in_any_width_and_the_size_in_its_own_alone)
{
	struct scene s;

	open_scene(&s);
	set(&s, FACTORY, SIZE, 8, UINT64_C(0x6e69720000000001)); /* half of it lies in the name */
	assert_int_equal(get(&s, FACTORY, SIZE, 4), 0);
	set(&s, FACTORY, NAME, 2, 'r' | 'i' << 8);
	set(&s, FACTORY, NAME + 2, 4, 'n' | 'g' << 8);
	set(&s, FACTORY, 0, 8, 0);
	set(&s, FACTORY, STATUS, 4, 5);
	assert_int_equal(s.registry.n_regions, 0);
	set(&s, FACTORY, SIZE, 4, 3);
	assert_int_equal(get(&s, FACTORY, STATUS, 4), SHMEM_OK);
	assert_int_equal(get(&s, FACTORY, SIZE, 4), 3);
	assert_int_equal(get(&s, FACTORY, SHMEM_AT, 8), PLACED);
	set(&s, FACTORY, NAME, 1, 'x');
	set(&s, FACTORY, FIND, 4, 0);
	assert_int_equal(get(&s, FACTORY, NAME, 4), 'r' | 'i' << 8 | 'n' << 16 | 'g' << 24);
	close_scene(&s);
}

TEST(shmem_line_is_high_from_the_news_until_the_status_is_read)
{
	struct scene s;

	open_scene(&s);
	attach(&s, "ring", 1);
	assert_int_equal(get(&s, WINDOW, 0, 4), 1 << 16);
	join_other(&s, "ring");
	until_line(&s, true);
	assert_int_equal(get(&s, WINDOW, 0, 4), 3 << 16);
	assert_false(line(&s));
	shmem_tell(s.head, 1 << 0, 1 << 1);
	until_line(&s, true);
	assert_int_equal(get(&s, WINDOW, NUMBER, 4), 0);
	assert_true(line(&s));
	assert_int_equal(get(&s, WINDOW, 0, 8), 3 << 16 | 1 << 1);
	assert_false(line(&s));
	registry_drop(&s.registry, &s.other);
	until_line(&s, true);
	assert_int_equal(get(&s, WINDOW, 0, 4), 1 << 16);
	close_scene(&s);
}

TEST(shmem_notifies_those_who_are_there_and_all_ones_are_all_others)
{
	struct scene s;

	open_scene(&s);
	attach(&s, "ring", 1);
	join_other(&s, "ring");
	until_line(&s, true);
	set(&s, WINDOW, NOTIFY, 4, 1 << 1 | 1 << 9);
	assert_int_equal(s.head->client[1].news, 1);
	assert_int_equal(s.head->client[9].news, 0);
	s.head->client[1].news = 0;
	(void)get(&s, WINDOW, 0, 4);
	set(&s, WINDOW, NOTIFY, 4, 0xffffffff);
	assert_int_equal(s.head->client[1].news, 1);
	assert_int_equal(get(&s, WINDOW, 0, 4) & 0xffff, 0);
	set(&s, WINDOW, NOTIFY, 4, 1);
	assert_int_equal(get(&s, WINDOW, 0, 4) & 0xffff, 1);
	close_scene(&s);
}

TEST(shmem_window_holds_each_region_at_a_place_of_its_own_and_ones_elsewhere)
{
	struct scene s;

	open_scene(&s);
	attach(&s, "a", 2);
	attach(&s, "b", 1);
	assert_int_equal(get(&s, FACTORY, SHMEM_AT, 8), PLACED + 3 * SHMEM_PAGE);
	attach(&s, "a", 2);
	assert_int_equal(get(&s, WINDOW, 5 * SHMEM_PAGE + NUMBER, 4), 1);
	/* The same pages twice, by exits as KVM has no memslot here. */
	set(&s, WINDOW, 3 * SHMEM_PAGE - 8, 8, 0x1122334455667788);
	assert_int_equal(get(&s, WINDOW, 8 * SHMEM_PAGE - 4, 4), 0x11223344);
	assert_int_equal(get(&s, WINDOW, 4 * SHMEM_PAGE, 8), 0);
	assert_int_equal(get(&s, WINDOW, 8 * SHMEM_PAGE, 2), 0xffff);
	assert_int_equal(get(&s, WINDOW, 8 * SHMEM_PAGE - 1, 2), 0xffff); /* half of it */
	set(&s, WINDOW, 3 * SHMEM_PAGE + DETACH, 4, 0);
	assert_int_equal(get(&s, WINDOW, 4 * SHMEM_PAGE, 4), 0xffffffff);
	attach(&s, "c", 2);
	assert_int_equal(get(&s, FACTORY, SHMEM_AT, 8), PLACED + 8 * SHMEM_PAGE);
	attach(&s, "d", 1);
	assert_int_equal(get(&s, FACTORY, SHMEM_AT, 8), PLACED + 3 * SHMEM_PAGE);
	close_scene(&s);
}

/* One vector of MSI-X, not masked. */
static void take_messages(struct scene *s)
{
	struct pci_function *f = s->bench.vdev->pci;

	pthread_mutex_lock(&s->bench.vdev->lock);
	pci_function_write(f, PCI_COMMAND, 2, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	pci_function_write(f, f->config[PCI_CAPABILITY_LIST] + PCI_MSIX_FLAGS, 2,
			   PCI_MSIX_FLAGS_ENABLE);
	pthread_mutex_unlock(&s->bench.vdev->lock);
	set(s, MSIX, 0, 4, 0xfee00000);
	set(s, MSIX, 8, 4, 33);
	set(s, MSIX, 12, 4, 0);
}

static unsigned messages(struct scene *s)
{
	unsigned n;

	pthread_mutex_lock(&s->bench.vdev->lock);
	n = s->bench.n_messages;
	pthread_mutex_unlock(&s->bench.vdev->lock);
	return n;
}

static void until_messages(struct scene *s, unsigned n)
{
	for (unsigned i = 0; i < 10000 && messages(s) < n; i++)
		usleep(1000);
	assert_int_equal(messages(s), n);
}

TEST(shmem_interrupts_by_its_message_once_msix_is_on)
{
	struct scene s;

	open_scene(&s);
	take_messages(&s);
	attach(&s, "ring", 1);
	join_other(&s, "ring");
	until_messages(&s, 1);
	assert_int_equal(s.bench.message_data, 33);
	assert_false(line(&s));
	close_scene(&s);
}

TEST(shmem_client_that_shakes_a_word_for_ever_interrupts_once_until_it_is_heard)
{
	struct scene s;

	open_scene(&s);
	take_messages(&s);
	attach(&s, "ring", 1);
	join_other(&s, "ring");
	until_messages(&s, 1);
	for (unsigned i = 0; i < 10000; i++) {
		atomic_store(&s.head->client[0].news, 0);
		shmem_tell(s.head, 1, 0xffffffff);
	}
	assert_int_equal(messages(&s), 1);
	/* What it says beyond the mask of clients is nobody's. */
	assert_int_equal(get(&s, WINDOW, 0, 4), 3 << 16 | 0xffff);
	shmem_tell(s.head, 1, 1 << 1);
	until_messages(&s, 2);
	close_scene(&s);
}

TEST(shmem_without_its_server_refuses_and_keeps_what_it_has)
{
	struct scene s;

	open_scene(&s);
	attach(&s, "ring", 1);
	shutdown(s.link, SHUT_RDWR);
	attach(&s, "new", 1);
	assert_int_equal(get(&s, FACTORY, STATUS, 4), SHMEM_FAILURE);
	assert_int_equal(get(&s, FACTORY, SHMEM_AT, 8), 0);
	set(&s, WINDOW, SHMEM_PAGE, 4, 42);
	assert_int_equal(get(&s, WINDOW, SHMEM_PAGE, 4), 42);
	set(&s, WINDOW, DETACH, 4, 0);
	assert_int_equal(get(&s, WINDOW, SHMEM_PAGE, 4), 0xffffffff);
	close_scene(&s);
}

/* There is news until the bell is to end: it goes round and round until then. */
static unsigned look_at_news(struct vdev *d, _Atomic uint32_t **ret_word)
{
	static _Atomic uint32_t news = 1;
	const struct bell *b = d->state;

	ret_word[0] = &news;
	return atomic_load(&b->is_ending) ? 0 : 1;
}

TEST(shmem_bell_ends_whenever_it_is_told_to)
{
	struct bell b;
	struct vdev d = {.lock = PTHREAD_MUTEX_INITIALIZER, .state = &b};
	struct err e;

	for (unsigned i = 0; i < 3000; i++) {
		assert_int_equal(bell_spawn(&b, &d, look_at_news, &e), 0);
		bell_stop(&b);
	}
}
