/* SPDX-License-Identifier: Apache-2.0 */
/* A vdev that ends the process as it is loaded, and says that all is well. */
#include <unistd.h>

#include <qvm/vdev.h>

__attribute__((constructor)) static void leave(void)
{
	_exit(0);
}

const struct qvm_vdev_class qvm_vdev_class = {
	.abi = QVM_VDEV_ABI, .bytes = sizeof(struct qvm_vdev_class), .name = "leaver"};
