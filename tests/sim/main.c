/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim FILE.scene          play a scene, print what happens
 * sim storm SEED STEPS    random sequences against the invariants
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/scene.h"
#include "tests/sim/storm.h"

int main(int argc, char **argv)
{
	if (argc == 2)
		return scene_play(argv[1]);
	if (argc == 4 && !strcmp(argv[1], "storm"))
		return storm_run(strtoull(argv[2], NULL, 10), (unsigned)atoi(argv[3]));
	fputs("usage: sim FILE.scene | sim storm SEED STEPS\n", stderr);
	return 2;
}
