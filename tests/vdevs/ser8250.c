/* SPDX-License-Identifier: Apache-2.0 */
/* A vdev with the name of one of qvm's own. */
#include <qvm/vdev.h>

const struct qvm_vdev_class qvm_vdev_class = {
	.abi = QVM_VDEV_ABI, .bytes = sizeof(struct qvm_vdev_class), .name = "ser8250"};
