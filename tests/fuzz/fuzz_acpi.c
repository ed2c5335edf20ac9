/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_acpi - a hostile ACPI table among qvm's own, and a guest of raw bytes beside it. */
#include "tests/fuzz/image_driver.h"
#include "vmm/conf/board.h"

const struct board_load image_load[] = {
	{.path = "table", .type = BOARD_IMAGE_ACPI, .line = 1},
	{.path = "guest", .type = BOARD_IMAGE_GUEST, .has_gpa = true, .gpa = 0x1000, .line = 2},
};
const unsigned image_loads = NELEMS(image_load);
