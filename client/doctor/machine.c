/* SPDX-License-Identifier: Apache-2.0 */
/* machine.c - the checks of the machine: processor, KVM, memory, clock. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/auto.h"
#include "base/str.h"
#include "client/doctor/doctor.h"
#include "client/show/size.h"

enum { SWAPPINESS_MOST = 10 };

void check_processor(const struct patient *p, struct finding *f)
{
	char text[DOCTOR_FILE];

	if (!doctor_read(p, "/proc/cpuinfo", text)) {
		doctor_say(f, DOCTOR_UNKNOWN, "/proc/cpuinfo cannot be read");
	} else if (strstr(text, " vmx")) {
		doctor_say(f, DOCTOR_OK, "the processor has VT-x");
	} else if (strstr(text, " svm")) {
		doctor_say(f, DOCTOR_OK, "the processor has AMD-V");
	} else if (doctor_is_there(p, "/dev/kvm")) {
		doctor_say(
			f, DOCTOR_NOTE,
			"the processor shows neither VT-x nor AMD-V, but there is a KVM that does "
			"without: guests run, system code slowly");
		doctor_mend(f,
			    "switch virtualisation on in the firmware; of a VM, let its host pass "
			    "it through");
	} else {
		doctor_say(f, DOCTOR_ERROR, "the processor shows neither VT-x nor AMD-V");
		doctor_mend(f,
			    "switch virtualisation (VT-x, AMD-V, SVM) on in the firmware; of a VM, "
			    "let its host pass it through");
	}
}

void check_kvm_device(const struct patient *p, struct finding *f)
{
	char path[DOCTOR_FILE];
	AUTO_FD int fd = open(doctor_path(p, "/dev/kvm", path), O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		doctor_say(f, DOCTOR_OK, "there, and this user may use it");
	} else if (errno == ENOENT || errno == ENXIO || errno == ENODEV) {
		doctor_say(f, DOCTOR_ERROR, "/dev/kvm is not there: no VM can start");
		doctor_mend(f, "modprobe kvm_intel, or modprobe kvm_amd; `dmesg | grep -i kvm` "
			       "tells why it "
			       "does not load");
	} else if (errno == EACCES || errno == EPERM) {
		doctor_say(f, DOCTOR_NOTE,
			   "this user may not use /dev/kvm; qvmd as root may, `qvm` from a shell "
			   "may not");
		doctor_mend(f, "usermod -aG kvm $USER, then log in again");
	} else {
		doctor_say(f, DOCTOR_ERROR, "/dev/kvm cannot be opened: %s", strerror(errno));
		doctor_mend(f, "`dmesg | grep -i kvm` may tell why");
	}
}

static const struct {
	const char *name;
	int cap;
	bool is_needed;
} caps[] = {
#define IS_NEEDED		      true
#define IS_USED			      false
#define KVM(symbol, name, need, what) {name, KVM_CAP_##symbol, IS_##need},
#include "schemas/kvm.def"
#undef KVM
};

void check_kvm_interface(const struct patient *p, struct finding *f)
{
	char path[DOCTOR_FILE], needed[256] = "", used[256] = "";
	AUTO_FD int fd = open(doctor_path(p, "/dev/kvm", path), O_RDWR | O_CLOEXEC);
	int version = fd < 0 ? -1 : ioctl(fd, KVM_GET_API_VERSION, 0);
	size_t n = 0, m = 0;

	if (version < 0) {
		doctor_say(f, DOCTOR_UNKNOWN, "/dev/kvm could not be asked");
		return;
	}
	for (size_t i = 0; i < NELEMS(caps); i++) {
		if (ioctl(fd, KVM_CHECK_EXTENSION, caps[i].cap) > 0)
			continue;
		if (caps[i].is_needed)
			str_add(needed, sizeof needed, &n, " %s", caps[i].name);
		else
			str_add(used, sizeof used, &m, " %s", caps[i].name);
	}
	if (version != KVM_API_VERSION || n) {
		doctor_say(f, DOCTOR_ERROR, "version %d, without what every VM needs:%s", version,
			   n ? needed : " version 12");
		doctor_mend(f, "take a newer kernel: Debian's 6.1 has all of it");
	} else if (m) {
		doctor_say(f, DOCTOR_NOTE,
			   "version %d; without:%s. `qvmadm host` tells what they are for", version,
			   used);
	} else {
		doctor_say(f, DOCTOR_OK, "version %d, with all that qvm uses", version);
	}
}

void check_iommu(const struct patient *p, struct finding *f)
{
	if (doctor_is_there(p, "/sys/kernel/iommu_groups/0")) {
		doctor_say(f, DOCTOR_OK, "on: PCI functions can be passed to guests");
		return;
	}
	doctor_say(f, DOCTOR_NOTE, "off: no PCI function can be passed to a guest");
	doctor_mend(f, "if one shall be: VT-d or AMD-Vi on in the firmware, intel_iommu=on on the "
		       "kernel's command line");
}

void check_swap(const struct patient *p, struct finding *f)
{
	char text[DOCTOR_FILE], size[SIZE_TEXT];
	int64_t total_kb =
		doctor_read(p, "/proc/meminfo", text) ? doctor_line(text, "SwapTotal:") : -1;
	int64_t swappiness =
		doctor_read(p, "/proc/sys/vm/swappiness", text) ? strtoll(text, NULL, 10) : -1;

	if (total_kb < 0 || swappiness < 0) {
		doctor_say(f, DOCTOR_UNKNOWN, "/proc does not tell");
	} else if (total_kb == 0) {
		doctor_say(f, DOCTOR_OK, "there is none: a guest's memory stays where it is");
	} else if (swappiness <= SWAPPINESS_MOST) {
		doctor_say(f, DOCTOR_OK, "%s, vm.swappiness is %" PRId64,
			   size_text((uint64_t)total_kb * 1024, size), swappiness);
	} else {
		doctor_say(f, DOCTOR_WARNING,
			   "%s of swap and vm.swappiness %" PRId64
			   ": memory of a guest that is quiet may be swapped out, and its next "
			   "reaction "
			   "waits for the disk",
			   size_text((uint64_t)total_kb * 1024, size), swappiness);
		doctor_mend(f, "swapoff -a, or sysctl -w vm.swappiness=%d (and in /etc/sysctl.d)",
			    SWAPPINESS_MOST);
	}
}

void check_overcommit(const struct patient *p, struct finding *f)
{
	char text[DOCTOR_FILE];
	int64_t mode = doctor_read(p, "/proc/sys/vm/overcommit_memory", text)
			       ? strtoll(text, NULL, 10)
			       : -1;

	if (mode < 0) {
		doctor_say(f, DOCTOR_UNKNOWN, "/proc does not tell");
	} else if (mode == 1) {
		doctor_say(f, DOCTOR_WARNING,
			   "vm.overcommit_memory is 1: the kernel promises memory that it does not "
			   "have, "
			   "and takes it back by ending a process, which may be a VM");
		doctor_mend(
			f,
			"sysctl -w vm.overcommit_memory=0 (and in /etc/sysctl.d); memory-budget of "
			"qvmd.conf bounds what guests are promised");
	} else {
		doctor_say(f, DOCTOR_OK, "vm.overcommit_memory is %" PRId64, mode);
	}
}

void check_clock_source(const struct patient *p, struct finding *f)
{
	static const char path[] =
		"/sys/devices/system/clocksource/clocksource0/current_clocksource";
	static const char *const good[] = {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page",
					   "arch_sys_counter"};
	char text[DOCTOR_FILE];

	if (!doctor_read(p, path, text)) {
		doctor_say(f, DOCTOR_UNKNOWN, "%s cannot be read", path);
		return;
	}
	for (size_t i = 0; i < NELEMS(good); i++)
		if (!strcmp(text, good[i])) {
			doctor_say(f, DOCTOR_OK, "%s", text);
			return;
		}
	doctor_say(f, DOCTOR_WARNING,
		   "%.40s: reading the time is slow, and the time of guests may jump", text);
	doctor_mend(f, "`dmesg | grep -i tsc` tells why the kernel does not trust the TSC; "
		       "tsc=reliable on "
		       "its command line overrules it");
}

void check_isolated_cpus(const struct patient *p, struct finding *f)
{
	char text[DOCTOR_FILE];

	if (!doctor_read(p, "/sys/devices/system/cpu/isolated", text))
		doctor_say(f, DOCTOR_UNKNOWN, "/sys does not tell");
	else if (*text)
		doctor_say(f, DOCTOR_OK,
			   "%.100s: no other process runs there unless it is put there", text);
	else
		doctor_say(f, DOCTOR_OK,
			   "none; isolcpus= on the kernel's command line keeps processors for `cpu "
			   "runmask` "
			   "of a configuration");
}
