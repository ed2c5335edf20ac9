/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vdev.h - the class of virtual devices. A vdev is one file of this folder, vmm/pci/ or vmm/virtio/:
 * its state, callbacks, option table and class, ending in VDEV_REGISTER(class). Worker.
 *
 * Life: conf makes the vdev (init), sets its options (set), then check(). The host resources it
 * wants are granted as fds; assemble() puts it on the board; start() follows with all vdevs known;
 * stop() ends its threads while guest memory is still there.
 * read() and write() run on the vCPU thread that exited, under the vdev's lock, with an offset
 * already checked against the region. destroy() takes a half-made vdev.
 *
 * Time: a vdev with something to do later has alarm() and sets its deadline with machine_alarm(). One
 * timer of the worker's loop serves all vdevs: usually well under a millisecond late, and as much
 * later as the loop is busy with something else.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "base/sandbox.h"

struct blackbox_place;
struct hostdev;
struct loggers;
struct machine;
struct pci_function;
struct vdev;

enum vdev_space { VDEV_MEM, VDEV_IO };

enum { VDEV_REGIONS = 4, VDEV_WANTS = 8, VDEV_NAME = 32, VDEV_PATH = 1024 };

/* Access widths a class allows: bit n set = n bytes. */
enum { VDEV_BYTE = 1 << 1, VDEV_WORD = 1 << 2, VDEV_DWORD = 1 << 4, VDEV_QWORD = 1 << 8 };

/* Who answers an access: region and offset are those that its read() and write() take. */
struct vdev_target {
	struct vdev *vdev;
	unsigned region;
	uint64_t offset;
};

/* An option of one class. set() runs while the configuration is read; its error text becomes the
 * diagnostic at that argument. */
struct vdev_option {
	const char *name;
	const char *argument; /* "FILE" for the help; NULL = takes none */
	const char *what;
	int (*set)(struct vdev *d, const char *value, struct err *e);
	/* In place of set(), of a class whose options share one: it is told which. */
	int (*set_one)(struct vdev *d, const struct vdev_option *o, const char *value,
		       struct err *e);
};

struct vdev_class {
	const char *name;      /* as in `vdev NAME` */
	const char *summary;   /* one line for the help */
	enum vdev_space space; /* of a `loc` without a prefix */
	uint16_t widths;       /* VDEV_BYTE | ... */
	bool is_implicit;      /* on every board; naming it only sets options */
	bool only_with_pci;    /* implicit, but only on boards with a PCI function */
	bool is_pic;	       /* other vdevs may name it in `intr` */
	bool is_irqchip;       /* KVM's whole set comes with it (vmm/x86/irqchip.h) */
	bool is_legacy_timer;  /* an hpet may stand in for it, on its line */
	bool is_in_parts;      /* one `loc` places one region and leaves the rest to other
				       instances, which share the name; all parts must be there */
	bool pins_ram;	       /* a device of the host reaches all RAM at its host addresses */
	bool frees_ram;	       /* gives pages of RAM back to the host: not beside the one above */
	bool is_single;	       /* guests serve one of it: a second draws a warning */
	bool is_pci;	       /* a PCI function: its place is a slot, its regions are BARs */
	bool is_pass;	       /* no device: memory of the host, mapped (pass.h) */
	uint32_t mmio_bytes;   /* of a PCI function that `loc mem:` with `intr` puts on no bus:
				       what its region 0 takes then; 0 = it is always on the bus */
	const char *mmio_hid;  /* that ACPI tells of it there; NULL = it does not */
	unsigned n_rows;       /* of the map, for memory that it gives the guest at run time */
	bool needs_loc, needs_intr; /* must be given when there is no default */
	struct {
		uint64_t base, bytes;
		bool is_whole;	/* an access that also covers other places is not meant for it */
	} region[VDEV_REGIONS]; /* defaults; bytes 0 ends */
	int intr;		/* default line; -1 = none */
	size_t state_bytes;	/* zeroed state at vdev->state */
	/* Of one that drives other lines than `intr`: the n-th, and the PIC that its options name for
	 * it, NULL = the board's; -1 = there are no more. */
	int (*line)(const struct vdev *d, unsigned n, const char **ret_pic);
	/* Bytes of its RAM that the guest is asked to do without; NULL = none. */
	uint64_t (*ram_asked)(const struct vdev *d);
	const struct vdev_option *options;	     /* ends with a NULL name; NULL = none */
	void (*init)(struct vdev *d);		     /* defaults of the state */
	int (*check)(struct vdev *d, struct err *e); /* options are complete; add wants here */
	int (*assemble)(struct vdev *d, struct machine *m, struct err *e);
	void (*start)(struct vdev *d);
	void (*stop)(struct vdev *d);
	/* Of a bus: who answers at that place of one of its regions; false = nobody. Under its lock,
	 * without effects. NULL = the vdev itself. */
	bool (*route)(struct vdev *d, struct vdev_target *t, unsigned width);
	uint64_t (*read)(struct vdev *d, unsigned region, uint64_t offset, unsigned width);
	void (*write)(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
		      uint64_t value);
	/* Bytes from the host's end of the line, under the vdev's lock; never more than room(). */
	void (*input)(struct vdev *d, const uint8_t *bytes, size_t n);
	size_t (*room)(struct vdev *d); /* bytes input() takes now; required beside input */
	/* The output of its hostdev has room again, under the vdev's lock, after hostdev_room() has
	 * told of little. NULL = it does not ask. */
	void (*drained)(struct vdev *d);
	bool (*button)(struct vdev *d); /* power button; true = the guest will hear of it */
	/* The deadline of machine_alarm() has passed, once: on the loop's thread, under the vdev's
	 * lock, with the deadline cleared; it may set the next one, counted from it or from now_ns.
	 * The final filter permits the system call that this takes. */
	void (*alarm)(struct vdev *d, uint64_t now_ns);
	/* A line for the log when a status is asked for, at most cap bytes; under the vdev's lock. */
	void (*status)(struct vdev *d, char *text, size_t cap);
	void (*destroy)(struct vdev *d);
	const struct sandbox_allow *syscalls; /* needed after START, beyond the common set */
	bool has_iothread;		      /* and those of vmm/vdev/iothread.h */
	bool has_doorbells;		      /* and those of machine_doorbell() */
};

struct vdev_region {
	enum vdev_space space;
	uint64_t base, bytes;
	bool is_under; /* implicit vdevs may take places inside it and then answer there */
};

/* A host resource a vdev wants; kinds are those of schemas/message.h. */
struct vdev_want {
	uint32_t kind;
	char path[VDEV_PATH];
	int fd; /* granted; -1 before */
};

struct vdev {
	const struct vdev_class *class;
	char name[VDEV_NAME]; /* `name`, else the class's */
	struct vdev_region region[VDEV_REGIONS];
	unsigned n_regions;
	int intr;		  /* line; -1 = none */
	char intr_pic[VDEV_NAME]; /* the PIC it is wired to; "" = the board's */
	int slot;		  /* on PCI bus 0 (vmm/pci/slot.h); -1 = not there */
	struct pci_function *pci; /* from assemble() on, if it has a slot; part of its state */
	unsigned index;		  /* its row in the black box */
	struct blackbox_place
		*row; /* of its class's n_rows rows of the map, as many as there are; off */
	unsigned n_rows;
	unsigned line; /* of the configuration; 0 = implicit */
	struct vdev_want want[VDEV_WANTS];
	unsigned n_wants;
	uint64_t alarm_ns;	 /* deadline of machine_alarm(), monotonic; 0 = none. Under lock */
	struct loggers *loggers; /* its `log`; NULL = as the board's */
	bool dumps;		 /* a watchdog whose bite asks for a guest dump */
	bool is_unreported;	 /* `set debug off`: the status report leaves it out */
	bool takes_console;	 /* what is typed at a supervised VM's console comes to this vdev */
	struct hostdev *hostdev; /* of a class with a character line; NULL = none */
	int room_fd; /* eventfd of the worker's loop, borrowed: written when an input queue that was
			short of room is half empty, or output waits; -1 = nobody waits for that */
	struct machine *machine; /* from assemble() on */
	pthread_mutex_t lock;
	void *state;
};

#define VDEV_REGISTER(class)                                                                       \
	static const struct vdev_class *const class##_entry                                        \
		__attribute__((used, retain, section("qvm_vdev"))) = &(class)

/* The class of that name, or NULL. One of a shared object (plugin.h) is loaded for that. */
const struct vdev_class *vdev_class_find(const char *name);
/* The class's name in a word of a configuration: shipping files also write it as the name of the
 * original's shared object, vdev-NAME.so. */
void vdev_class_name(const char *word, char ret[static VDEV_NAME]);
/* All classes, those of shared objects as far as they are loaded, in no order: NULL-terminated walk
 * with *state = 0 at first. */
const struct vdev_class *vdev_class_next(unsigned *state);
/* A vdev with the class's defaults; aborts without memory (small and bounded). */
struct vdev *vdev_new(const struct vdev_class *class, unsigned line);
struct vdev *vdev_free(struct vdev *d); /* NULL is fine; returns NULL */
/* True if what is typed at the console may be meant for it: it has an input side, and its hostdev
 * is the console ("-") or was left out. */
bool vdev_is_console(const struct vdev *d);
/* Its lock, for the worker's loop, which may not wait for long: false if a vCPU keeps it. */
bool vdev_lock_soon(struct vdev *d);
/* Give input to a vdev, under its lock; returns how many of the n bytes it had room for: 0 if a vCPU
 * keeps the lock for long. */
size_t vdev_input(struct vdev *d, const uint8_t *bytes, size_t n);
/* Bytes of input it has room for now; 0 without an input side, or if a vCPU keeps the lock for long. */
size_t vdev_room(struct vdev *d);
/* It is on the PCI bus, rather than at an address of its own. */
bool vdev_is_function(const struct vdev *d);
/* Note a host resource; ERR_CONFIG beyond VDEV_WANTS. */
int vdev_want(struct vdev *d, uint32_t kind, const char *path, struct err *e);

/* Lines of the log about a vdev: they go where its `log` says. */
#define vdev_error(d, ...) log_error(VDEV_ABOUT(d), __VA_ARGS__)
#define vdev_warn(d, ...)  log_warn(VDEV_ABOUT(d), __VA_ARGS__)
#define vdev_info(d, ...)  log_info(VDEV_ABOUT(d), __VA_ARGS__)
#define VDEV_ABOUT(d)	   (&(struct log_about){.loggers = (d)->loggers})
/* What has failed in it: "vdev NAME: " and the text of the error. */
void vdev_log_err(const struct vdev *d, const struct err *e);
