/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory: names and rules, and the server's registry of regions. */
#include "vmm/shmem/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"

/* --- names and rules --- */

TEST(shmem_name_is_1_to_31_printable_bytes_without_a_slash)
{
	char whole[SHMEM_NAME];

	memset(whole, 'x', sizeof whole);
	assert_false(shmem_is_name(whole));
	whole[SHMEM_NAME - 1] = '\0';
	assert_true(shmem_is_name(whole));
	assert_true(shmem_is_name("a b.~"));
	assert_false(shmem_is_name(""));
	assert_false(shmem_is_name("a/b"));
	assert_false(shmem_is_name("a\n"));
	assert_false(shmem_is_name("\x80"));
}

TEST(shmem_rules_are_a_list_of_signed_patterns)
{
	assert_true(shmem_are_rules("/"));
	assert_true(shmem_are_rules("/+a*/-[b-d]?"));
	assert_true(shmem_are_rules("/+0123456789012345678901234567890"));
	assert_false(shmem_are_rules("/+01234567890123456789012345678901"));
	assert_false(shmem_are_rules(""));
	assert_false(shmem_are_rules("+a"));
	assert_false(shmem_are_rules("/a"));
	assert_false(shmem_are_rules("/+"));
	assert_false(shmem_are_rules("/+a/"));
	assert_false(shmem_are_rules("/+a//-b"));
	assert_false(shmem_are_rules("/+*****"));
	assert_true(shmem_are_rules("/+****"));
}

TEST(shmem_rules_decide_by_the_first_match_and_end_with_the_opposite_of_allow)
{
	assert_true(shmem_may("/", "any"));
	assert_true(shmem_may("/+test*/+pluto", "pluto"));
	assert_false(shmem_may("/+test*/+pluto", "plutos"));
	assert_false(shmem_may("/-live*", "lively"));
	assert_true(shmem_may("/-live*", "dead"));
	assert_false(shmem_may("/-pluto/+pluto*", "pluto"));
	assert_true(shmem_may("/-pluto/+pluto*", "pluto2"));
	assert_false(shmem_may("/-pluto/+pluto*", "mars"));
}

/* --- the registry --- */

static struct shmem_answer ask(struct registry *r, struct registry_link *l, enum shmem_op op,
			       const char *name, uint32_t pages, int *ret_fd)
{
	struct shmem_request q = {.id = 7, .op = op, .pages = pages};
	struct shmem_answer a;
	int fd;

	strncpy(q.name, name, sizeof q.name - 1);
	registry_serve(r, l, &q, &a, &fd);
	assert_int_equal(a.id, 7);
	assert_int_equal(fd >= 0, a.status == SHMEM_OK && op == SHMEM_ATTACH);
	if (ret_fd)
		*ret_fd = fd;
	return a;
}

static enum shmem_status leave(struct registry *r, struct registry_link *l, uint32_t handle)
{
	struct shmem_request q = {.op = SHMEM_LEAVE, .handle = handle};
	struct shmem_answer a;
	int fd;

	registry_serve(r, l, &q, &a, &fd);
	return (enum shmem_status)a.status;
}

static struct registry_link link_with(const char *rules)
{
	struct registry_link l = {0};

	strcpy(l.rules, rules);
	return l;
}

TEST(shmem_region_cannot_be_resized_by_who_has_it)
{
	struct registry r = {.budget_bytes = 1 << 20};
	struct registry_link l = link_with("/");
	struct stat st;
	int fd = -1;

	assert_int_equal(ask(&r, &l, SHMEM_ATTACH, "ring", 2, &fd).status, SHMEM_OK);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 1 << 20), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, SHMEM_HEAD + 2 * SHMEM_PAGE);
	assert_int_equal(st.st_blocks * 512, st.st_size); /* all of it is there */
	registry_drop(&r, &l);
}

TEST(shmem_memory_is_given_back_by_the_last_who_has_it_though_one_keeps_its_mapping)
{
	struct registry r = {.budget_bytes = 1 << 20};
	struct registry_link a = link_with("/"), b = link_with("/");
	uint8_t *kept;
	struct stat st;
	int fd = -1, own;

	assert_int_equal(ask(&r, &a, SHMEM_ATTACH, "ring", 4, &fd).status, SHMEM_OK);
	assert_int_equal(ask(&r, &b, SHMEM_CREATE, "ring", 4, NULL).status, SHMEM_OK);
	own = dup(fd);
	kept = mmap(NULL, SHMEM_HEAD + 4 * SHMEM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0);
	kept[SHMEM_HEAD] = 1;
	registry_drop(&r, &a);
	assert_int_equal(kept[SHMEM_HEAD], 1);
	assert_int_equal(r.n_regions, 1);
	registry_drop(&r, &b);
	assert_int_equal(r.n_regions, 0);
	assert_int_equal(r.used_bytes, 0);
	assert_int_equal(fstat(own, &st), 0);
	assert_int_equal(st.st_blocks, 0);
	munmap(kept, SHMEM_HEAD + 4 * SHMEM_PAGE);
	close(own);
}

TEST(shmem_clients_have_numbers_and_hear_of_each_other)
{
	struct registry r = {.budget_bytes = 1 << 20};
	struct registry_link l[SHMEM_CLIENTS + 1];
	struct shmem_head *head;
	int fd = -1;

	for (unsigned i = 0; i < SHMEM_CLIENTS; i++) {
		l[i] = link_with("/");
		assert_int_equal(ask(&r, &l[i], SHMEM_ATTACH, "ring", 1, &fd).number, i);
	}
	head = mmap(NULL, SHMEM_HEAD, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_int_equal(head->clients, 0xffff);
	assert_int_equal(head->client[3].news, SHMEM_CHANGED);
	l[SHMEM_CLIENTS] = link_with("/");
	assert_int_equal(ask(&r, &l[SHMEM_CLIENTS], SHMEM_ATTACH, "ring", 1, NULL).status,
			 SHMEM_FULL);
	assert_int_equal(ask(&r, &l[SHMEM_CLIENTS], SHMEM_CREATE, "ring", 1, NULL).status,
			 SHMEM_OK);
	/* A client that writes rubbish there changes nothing of who has which number. */
	head->clients = 0;
	head->client[5].news = 0xffffffff;
	head->client[3].news = 0;
	registry_drop(&r, &l[5]);
	assert_int_equal(head->clients, 0xffff & ~(1 << 5));
	assert_int_equal(head->client[3].news, SHMEM_CHANGED);
	l[5] = link_with("/");
	assert_int_equal(ask(&r, &l[5], SHMEM_ATTACH, "ring", 1, NULL).number, 5);
	assert_int_equal(head->client[5].news, 0);
	munmap(head, SHMEM_HEAD);
	for (unsigned i = 0; i <= SHMEM_CLIENTS; i++)
		registry_drop(&r, &l[i]);
	assert_int_equal(r.n_regions, 0);
}

TEST(shmem_requests_that_cannot_be_are_refused_with_their_status)
{
	struct registry r = {.budget_bytes = 10 * SHMEM_PAGE};
	struct registry_link l = link_with("/-secret*");

	assert_int_equal(ask(&r, &l, SHMEM_ATTACH, "a/b", 1, NULL).status, SHMEM_BAD_NAME);
	assert_int_equal(ask(&r, &l, SHMEM_ATTACH, "secrets", 1, NULL).status, SHMEM_DENIED);
	assert_int_equal(ask(&r, &l, SHMEM_CREATE, "secrets", 1, NULL).status, SHMEM_DENIED);
	assert_int_equal(ask(&r, &l, SHMEM_ATTACH, "ring", 0, NULL).status, SHMEM_FAILURE);
	assert_int_equal(ask(&r, &l, SHMEM_ATTACH, "ring", 10, NULL).status, SHMEM_NO_MEMORY);
	assert_int_equal(ask(&r, &l, SHMEM_ATTACH, "ring", UINT32_MAX, NULL).status,
			 SHMEM_NO_MEMORY);
	assert_int_equal(ask(&r, &l, (enum shmem_op)9, "ring", 1, NULL).status, SHMEM_FAILURE);
	assert_int_equal(leave(&r, &l, 0), SHMEM_FAILURE);
	assert_int_equal(leave(&r, &l, UINT32_MAX), SHMEM_FAILURE);
	assert_int_equal(r.n_regions, 0);
	assert_int_equal(ask(&r, &l, SHMEM_ATTACH, "ring", 9, NULL).status, SHMEM_OK);
	assert_int_equal(ask(&r, &l, SHMEM_ATTACH, "b", 1, NULL).status, SHMEM_NO_MEMORY);
	assert_int_equal(leave(&r, &l, 0), SHMEM_OK);
	assert_int_equal(leave(&r, &l, 0), SHMEM_FAILURE);
	assert_int_equal(r.used_bytes, 0);
}

TEST(shmem_link_has_so_many_regions_and_pages_and_no_more)
{
	struct registry r = {.budget_bytes = UINT64_C(1) << 40};
	struct registry_link a = link_with("/"), b = link_with("/");
	char name[8];

	for (unsigned i = 0; i < REGISTRY_HOLDS; i++) {
		snprintf(name, sizeof name, "r%u", i);
		assert_int_equal(ask(&r, &a, SHMEM_ATTACH, name, 1, NULL).status, SHMEM_OK);
	}
	assert_int_equal(ask(&r, &a, SHMEM_ATTACH, "more", 1, NULL).status, SHMEM_NO_MEMORY);
	assert_int_equal(ask(&r, &b, SHMEM_ATTACH, "big", REGISTRY_PAGES / 2, NULL).status,
			 SHMEM_OK);
	/* Not twice either: each mapping costs the host its page tables. */
	assert_int_equal(ask(&r, &b, SHMEM_ATTACH, "more", REGISTRY_PAGES / 2 + 1, NULL).status,
			 SHMEM_NO_MEMORY);
	assert_int_equal(ask(&r, &b, SHMEM_ATTACH, "big", 1, NULL).status, SHMEM_OK);
	assert_int_equal(ask(&r, &b, SHMEM_ATTACH, "big", 1, NULL).status, SHMEM_NO_MEMORY);
	registry_drop(&r, &a);
	registry_drop(&r, &b);
	assert_int_equal(r.n_regions, 0);
}
