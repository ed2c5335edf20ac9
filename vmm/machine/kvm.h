/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm.h - calls to the kernel's KVM, and what the machine needs of it. Worker.
 *
 * Section numbers in this folder are those of the KVM API document (Documentation/virt/kvm/api.rst).
 */
#pragma once

#include <linux/kvm.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "base/err.h"

/* A KVM VM on /dev/kvm. Names every capability that this kernel lacks. The caller owns *ret_fd. The
 * process that makes a VM is the only one that can use it. */
int kvm_create(int kvm_fd, int *ret_fd, struct err *e);
/* Value of KVM_CHECK_EXTENSION: 0 when it lacks it. */
int kvm_extension(int fd, long cap);
/* ERR_START unless a VM of a KVM that takes `most` vCPUs (KVM_CAP_MAX_VCPUS, 0 = not told) may have n. */
int kvm_check_vcpus(uint64_t n, int most, struct err *e);
/* One ioctl; again on EINTR. Returns its value >= 0, or -1 with ERR_KVM: "KVM refused to <what>". */
int kvm_call(int fd, unsigned long request, void *arg, const char *what, struct err *e);
/* KVM_ENABLE_CAP with one argument (section 4.37). */
int kvm_enable(int fd, unsigned cap, unsigned long arg, const char *what, struct err *e);
