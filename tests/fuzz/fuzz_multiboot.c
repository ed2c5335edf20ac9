/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_multiboot - a hostile kernel of any format, multiboot above all, with two modules and a command line
 * beside it. */
#include "tests/fuzz/image_driver.h"
#include "vmm/conf/board.h"

const struct board_load image_load[] = {
	{.path = "kernel", .line = 1},
	{.path = "data", .type = BOARD_IMAGE_DATA, .has_gpa = true, .gpa = 0x300000, .line = 2},
	{.path = "ramdisk", .type = BOARD_IMAGE_INITRD, .line = 3},
};
const unsigned image_loads = NELEMS(image_load);
