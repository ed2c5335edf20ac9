/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct test *const __start_qvm_test[];
extern const struct test *const __stop_qvm_test[];

static int passed;

static void run(void **state)
{
	const struct test *t = *state;

	t->fn();
	passed++; /* a failed assertion does not come back here */
}

/* With an argument, only the tests whose names contain it. */
int main(int argc, char **argv)
{
	size_t n = 0, all = (size_t)(__stop_qvm_test - __start_qvm_test);
	struct CMUnitTest *list = calloc(all, sizeof *list);
	int failed;

	if (!list)
		return 1;
	for (size_t i = 0; i < all; i++) {
		const struct test *t = __start_qvm_test[i];

		if (argc > 1 && !strstr(t->name, argv[1]))
			continue;
		list[n++] = (struct CMUnitTest){
			.name = t->name, .test_func = run, .initial_state = (void *)t};
	}
	failed = _cmocka_run_group_tests(argv[0], list, n, NULL, NULL);
	free(list);
	fflush(stderr);
	printf("%d passed, %d failed, %d skipped\n", passed, failed, (int)n - passed - failed);
	return failed != 0 || n == 0;
}
