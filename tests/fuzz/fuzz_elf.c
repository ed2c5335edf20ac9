/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_elf - a hostile ELF file, with a ramdisk and a command line beside it. */
#include "tests/fuzz/image_driver.h"
#include "vmm/conf/board.h"

const struct board_load image_load[] = {
	{.path = "kernel", .line = 1},
	{.path = "ramdisk", .type = BOARD_IMAGE_INITRD, .line = 2},
};
const unsigned image_loads = NELEMS(image_load);
