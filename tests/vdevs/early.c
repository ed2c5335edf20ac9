/* SPDX-License-Identifier: Apache-2.0 */
/* A vdev that crashes as it is loaded, before anybody has asked it for anything. */
#include <qvm/vdev.h>

static volatile int *volatile nowhere;

__attribute__((constructor)) static void crash(void)
{
	*nowhere = 1;
}

const struct qvm_vdev_class qvm_vdev_class = {
	.abi = QVM_VDEV_ABI, .bytes = sizeof(struct qvm_vdev_class), .name = "early"};
