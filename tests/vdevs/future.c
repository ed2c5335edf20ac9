/* SPDX-License-Identifier: Apache-2.0 */
/* A vdev of an ABI to come. */
#include <qvm/vdev.h>

const struct qvm_vdev_class qvm_vdev_class = {.abi = QVM_VDEV_ABI + 1, .name = "future"};
