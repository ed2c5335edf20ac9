/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <qvm/vdev.h> - write a virtual device for qvm as a shared object of its own.
 *
 * A vdev is one file, vdev-NAME.so, in the host's folder of vdevs (/usr/lib/qvm/vdev). It exports one
 * symbol, the class:
 *
 *	#include <qvm/vdev.h>
 *
 *	const struct qvm_vdev_class qvm_vdev_class = {
 *		.abi = QVM_VDEV_ABI,
 *		.bytes = sizeof(struct qvm_vdev_class),
 *		.name = "private-shutdown",
 *		...
 *	};
 *
 *	cc -shared -fPIC -o vdev-private-shutdown.so private-shutdown.c $(pkg-config --cflags qvm-vdev)
 *
 * From then on `vdev private-shutdown` is a word of every *.qvmconf, with `loc`, `intr` and `name` as
 * for each vdev, and `qvm help vdev private-shutdown` shows its options.
 *
 * Life: init() sets defaults, each option's set() follows as the configuration is read, then check();
 * start() comes when the board is whole. After that read() and write() run on the thread of the vCPU
 * that accesses the device, alarm() and button() on another one, all of them one at a time for each
 * device. They must not wait: the vCPU does not run meanwhile. destroy() comes last, and also for a
 * device whose configuration was refused.
 *
 * The code is loaded into each VM that names the device, before its sandbox closes; all callbacks run
 * inside. Constructors of the object run twice, first in a process that shows whether it survives them:
 * what they change outside of it they change twice. Files, sockets and further threads are out of
 * reach: a system call that the sandbox forbids ends this VM, as a crash does, and no other. Guest
 * memory and what the guest writes are hostile.
 */
#ifndef QVM_VDEV_H
#define QVM_VDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of everything below; a vdev built for another number is refused with a text that says so. */
#define QVM_VDEV_ABI	   1
#define QVM_VDEV_REGIONS   4
#define QVM_VDEV_OPTIONS   16
#define QVM_VDEV_END_LEAST 32
#define QVM_VDEV_END_MOST  63

struct qvm_vdev;

/* What the host does for a device, from start() on; log() always. Any of its callbacks may call them. */
struct qvm_vdev_host {
	/* Drive the line that `intr` gave the device to a level; nothing happens without one. */
	void (*interrupt)(struct qvm_vdev *d, bool level);
	/* Have alarm() called once the monotonic time at_ns has come, in place of the deadline before;
	 * 0 = not at all. */
	void (*alarm)(struct qvm_vdev *d, uint64_t at_ns);
	/* The monotonic time, in ns. */
	uint64_t (*now)(struct qvm_vdev *d);
	/* Guest memory, RAM or ROM: NULL unless [gpa, gpa + bytes) lies in one range of it. The guest
	 * changes it meanwhile: read each value once. */
	const volatile void *(*memory)(struct qvm_vdev *d, uint64_t gpa, uint64_t bytes);
	/* The same to write to: RAM alone. */
	volatile void *(*ram)(struct qvm_vdev *d, uint64_t gpa, uint64_t bytes);
	/* Print on the VM's console. */
	void (*console)(struct qvm_vdev *d, const char *text, size_t bytes);
	/* A line for the VM's log. Of a device that logs without end only the first lines are kept. */
	void (*log)(struct qvm_vdev *d, const char *text);
	/* End the VM with an exit status of its own, QVM_VDEV_END_LEAST to _MOST, and a reason for people
	 * of at most 95 bytes. The first end of a VM counts. */
	void (*end)(struct qvm_vdev *d, unsigned code, const char *reason);
};

/* One device. */
struct qvm_vdev {
	const struct qvm_vdev_host *host;
	const char *name; /* `name` of the configuration, else the class's */
	void *state;	  /* state_bytes of the class, zeroed before init() */
};

enum qvm_vdev_space { QVM_VDEV_MEM, QVM_VDEV_IO };

/* Access widths: bit n set = n bytes. Others are answered as the VM's `unsupported` says. */
enum {
	QVM_VDEV_BYTE = 1 << 1,
	QVM_VDEV_WORD = 1 << 2,
	QVM_VDEV_DWORD = 1 << 4,
	QVM_VDEV_QWORD = 1 << 8
};

/* An option behind `vdev NAME`. The name is lower-case letters, digits and -, and no other word of the
 * language. set() returns 0, or -1 with a text of what is wrong, which is shown at the argument. */
struct qvm_vdev_option {
	const char *name;
	const char *argument; /* "CODE" for the help; NULL = takes none, value is NULL */
	const char *what;     /* one line for the help */
	int (*set)(struct qvm_vdev *d, const char *value, char *why, size_t why_bytes);
};

struct qvm_vdev_class {
	uint32_t abi;	     /* QVM_VDEV_ABI */
	uint32_t bytes;	     /* sizeof(struct qvm_vdev_class) */
	const char *name;    /* that of the file: lower-case letters, digits and - */
	const char *summary; /* one line for the help */
	uint32_t space;	     /* enum qvm_vdev_space */
	uint32_t widths;     /* QVM_VDEV_BYTE | ... */
	/* Where it answers: at least one, bytes 0 ends. The first base 0 = the configuration must
	 * say `loc`. */
	struct {
		uint64_t base, bytes;
	} region[QVM_VDEV_REGIONS];
	size_t state_bytes;
	const struct qvm_vdev_option *options; /* ends with a NULL name; NULL = none */

	/* NULL = nothing to do; one of read() and write() must be there. What has no read() reads as
	 * the VM's `unsupported` says. Offsets are inside the region. */
	void (*init)(struct qvm_vdev *d);
	int (*check)(struct qvm_vdev *d, char *why, size_t why_bytes); /* as set() */
	void (*start)(struct qvm_vdev *d);
	uint64_t (*read)(struct qvm_vdev *d, unsigned region, uint64_t offset, unsigned width);
	void (*write)(struct qvm_vdev *d, unsigned region, uint64_t offset, unsigned width,
		      uint64_t value);
	void (*alarm)(struct qvm_vdev *d, uint64_t now_ns);
	bool (*button)(struct qvm_vdev *d); /* power button; true = the guest will hear of it */
	void (*status)(struct qvm_vdev *d, char *text, size_t bytes); /* a line for people */
	void (*destroy)(struct qvm_vdev *d);
};

/* What the shared object exports. */
extern const struct qvm_vdev_class qvm_vdev_class;

#ifdef __cplusplus
}
#endif

#endif
