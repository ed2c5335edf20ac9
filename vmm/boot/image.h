/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h - the files that `load` names, put into guest memory. Worker; assembly only.
 *
 * A kind of image is one file of this folder: it recognises the first bytes, loads, and says where
 * the boot vCPU begins; it ends in IMAGE_REGISTER(class). Every byte of a file is hostile; a file is
 * read once, by pread() of a granted fd, and what was checked is never read again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vmm/boot/layout.h"
#include "vmm/x86/acpi_extra.h"
#include "vmm/x86/entry.h"

struct board;
struct memory;

enum { IMAGE_HEAD = 32 * 1024 }; /* multiboot 2 looks that far for its header */

/* One file. */
struct image {
	const char *path; /* for messages and nothing else */
	unsigned line;	  /* of the configuration */
	int fd;		  /* borrowed */
	uint64_t bytes;
	bool has_gpa;
	uint64_t gpa;
	uint8_t head[IMAGE_HEAD];
	size_t n_head; /* the file's first bytes, at most IMAGE_HEAD */
};

struct image_class;

/* A file that boot protocols with modules hand over: `initrd load`, `data load`. */
struct image_module {
	uint64_t gpa, bytes;
	const char *path;
};

/* The guest as the images make it. */
struct image_guest {
	struct layout layout;
	const char *cmdline;
	const char *kernel_path;	   /* the image that says where to begin; NULL = none yet */
	const struct image_class *kernel;  /* its class; NULL when it has no boot protocol */
	uint64_t initrd_gpa, initrd_bytes; /* 0 bytes = none */
	uint64_t initrd_below;		   /* the kernel wants its ramdisk to end here or lower */
	bool initrd_may_be_high;	   /* or anywhere, if there is no room below */
	struct image_module *module;	   /* in order of the configuration */
	unsigned n_modules;
	uint64_t acpi_gpa, acpi_bytes;	/* whole pages of tables, the RSDP first; 0 bytes = none */
	struct acpi_extras acpi_extras; /* `acpi load` */
	struct entry entry;
	uint8_t *kernel_state; /* of the class, for finish(); freed by image.c */
};

/* The higher one has the say over a file that is several things: what it says of itself, then notes in
 * it, then its format. */
enum image_rank { IMAGE_RANK_FORMAT, IMAGE_RANK_NOTE, IMAGE_RANK_HEADER, IMAGE_RANK_HEADER_2 };

struct image_class {
	const char *name; /* "ELF" */
	enum image_rank rank;
	bool (*is)(const struct image *x);
	/* Put the file into memory; set guest->entry, initrd_below, kernel_state. */
	int (*load)(struct image_guest *g, const struct image *x, struct err *e);
	/* Everything lies where it lies, ramdisk too: write boot parameters. Not called when load()
	 * has set guest->kernel to NULL: the image has no boot protocol. */
	int (*finish)(struct image_guest *g, struct err *e);
};

#define IMAGE_REGISTER(class)                                                                      \
	static const struct image_class *const class##_entry                                       \
		__attribute__((used, retain, section("qvm_image"))) = &(class)

/* Load all that the board names and say where the boot vCPU begins. ERR_START names the file, the
 * reason and what to do; *ret_load, unless it is NULL, is then the index of that `load`, or n_loads. */
int image_load_board(const struct board *b, const struct memory *m, struct entry *ret,
		     unsigned *ret_load, struct err *e);

/* --- for the classes --- */

/* Exactly `bytes` bytes of the file from `offset`; a shorter file is an error. */
int image_read(const struct image *x, uint64_t offset, uint64_t bytes, void *ret, struct err *e);
