/* SPDX-License-Identifier: Apache-2.0 */
/* man.h - qvmadm(1), made from the verbs and topics themselves. qvmadm. */
#pragma once

#include <stdio.h>

void man_print(FILE *f);
