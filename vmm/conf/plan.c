/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/plan.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/auto.h"
#include "base/cpulist.h"
#include "base/str.h"
#include "schemas/message.h"
#include "vmm/conf/board.h"
#include "vmm/conf/utf8.h"
#include "vmm/pci/slot.h"
#include "vmm/vdev/vdev.h"

static const char *const image_type[] = {"by its content", "data", "initrd", "guest", "ACPI table"};
static const char *const image_id[] = {"auto", "data", "initrd", "guest", "acpi"};
static const char *const reaction[] = {"abort", "fail", "ignore"};

/* Where a part comes from, in brackets; nothing for what every board has. */
static const char *origin(unsigned line, char ret[static 24])
{
	ret[0] = '\0';
	if (line)
		snprintf(ret, 24, "   (line %u)", line);
	return ret;
}

/* "round-robin 10 on host CPUs 2-3"; "" = as the host likes. */
static const char *schedule(const struct board_cpu *c, char *ret, size_t cap)
{
	static const char *const policy[] = {"", "round-robin", "FIFO", "other"};
	char list[100];
	size_t len = 0;

	ret[0] = '\0';
	str_add(ret, cap, &len, "%s", policy[c->sched]);
	if (c->priority)
		str_add(ret, cap, &len, " %u", c->priority);
	if (c->is_pinned)
		str_add(ret, cap, &len, "%son host CPUs %s", len ? " " : "",
			cpulist_write(&c->host, list, sizeof list));
	return ret;
}

static void print_cpus(const struct board *b, FILE *out)
{
	char text[160], from[24];

	fprintf(out, "vCPUs         %u%s\n", b->n_cpus,
		b->exit_on_halt ? "" : ", which keep their host CPUs while they halt");
	if (b->partition[0])
		fprintf(out, "  in the partition '%s' of the host\n", b->partition);
	for (unsigned i = 0; b->cpu && i < b->n_cpus; i++)
		if (schedule(&b->cpu[i], text, sizeof text)[0])
			fprintf(out, "  %u  %s%s\n", i, text, origin(b->cpu[i].line, from));
}

static void print_memory(const struct board *b, FILE *out)
{
	char ram[24], rom[24], size[24], from[24];
	uint64_t rom_bytes = board_memory_bytes(b, true);

	fprintf(out, "Memory        %s RAM", str_bytes(board_memory_bytes(b, false), ram));
	if (rom_bytes)
		fprintf(out, ", %s ROM", str_bytes(rom_bytes, rom));
	fputc('\n', out);
	for (unsigned i = 0; i < b->n_memory; i++) {
		const struct board_memory *m = &b->memory[i];

		fprintf(out, "  0x%012" PRIx64 " - 0x%012" PRIx64 "  %s  %8s%s\n", m->gpa,
			m->gpa + m->bytes - 1, m->is_rom ? "ROM" : "RAM", str_bytes(m->bytes, size),
			origin(m->line, from));
	}
}

/* Width of the column of a list of texts. */
static int widest(int so_far, const char *text)
{
	int n = (int)strlen(text);

	return n > so_far ? n : so_far;
}

/* "data at 0xd0000" */
static void content(const struct board_load *l, char *ret, size_t cap)
{
	size_t len = 0;

	ret[0] = '\0';
	str_add(ret, cap, &len, "%s", image_type[l->type]);
	if (l->has_gpa)
		str_add(ret, cap, &len, " at 0x%" PRIx64, l->gpa);
}

static void print_images(const struct board *b, FILE *out)
{
	char from[24], what[64];
	int width = 0, what_width = 0;

	for (unsigned i = 0; i < b->n_loads; i++) {
		content(&b->load[i], what, sizeof what);
		width = widest(width, b->load[i].path);
		what_width = widest(what_width, what);
	}
	fprintf(out, "Images\n");
	for (unsigned i = 0; i < b->n_loads; i++) {
		content(&b->load[i], what, sizeof what);
		fprintf(out, "  %-*s  %-*s%s\n", width, b->load[i].path, what_width, what,
			origin(b->load[i].line, from));
	}
	if (b->cmdline[0])
		fprintf(out, "Command line\n  %s\n", b->cmdline);
}

/* "io 0x3f8-0x3ff, io 0x92", "pci 0:1.0"; "-" when it answers nowhere. */
static void places(const struct vdev *d, char *ret, size_t cap)
{
	size_t len = 0;

	ret[0] = '\0';
	if (d->slot >= 0)
		str_add(ret, cap, &len, "pci 0:%x.%u%s", pci_slot_device(d->slot),
			pci_slot_function(d->slot), d->n_regions ? ", " : "");
	for (unsigned r = 0; r < d->n_regions; r++) {
		const struct vdev_region *g = &d->region[r];

		str_add(ret, cap, &len, "%s%s 0x%" PRIx64, r ? ", " : "",
			g->space == VDEV_IO ? "io" : "mem", g->base);
		if (g->bytes > 1)
			str_add(ret, cap, &len, "-0x%" PRIx64, g->base + g->bytes - 1);
	}
	if (len == 0)
		str_add(ret, cap, &len, "-");
}

/* "io:0,io:8", "line 0,8,11". */
static void own_lines(const struct vdev *d, char *ret, size_t cap)
{
	const char *pic;
	size_t used = 0;
	int line;

	ret[0] = '\0';
	for (unsigned n = 0; used < cap && (line = d->class->line(d, n, &pic)) >= 0; n++)
		used += (size_t)snprintf(ret + used, cap - used, "%s%s%s%d", n ? "," : "",
					 pic ? pic
					 : n ? ""
					     : "line ",
					 pic ? ":" : "", line);
}

/* "ioapic:4", "line 4" of the board's own controller, "apic"; "-" when it interrupts nobody. */
static void interrupt(const struct vdev *d, char *ret, size_t cap)
{
	if (d->class->line)
		own_lines(d, ret, cap);
	else if (d->intr < 0)
		str_copy(ret, cap, d->intr_pic[0] ? d->intr_pic : "-");
	else if (d->intr_pic[0])
		snprintf(ret, cap, "%s:%d", d->intr_pic, d->intr);
	else
		snprintf(ret, cap, "line %d", d->intr);
}

/* Its name when it has one of its own. */
static const char *given_name(const struct vdev *d)
{
	return strcmp(d->name, d->class->name) != 0 ? d->name : "";
}

static void print_vdevs(const struct board *b, FILE *out)
{
	char where[200], intr[64], from[24];
	int class_width = 0, name_width = 0, where_width = 0, intr_width = 0;

	for (unsigned i = 0; i < b->n_vdevs; i++) {
		const struct vdev *d = b->vdev[i];

		places(d, where, sizeof where);
		interrupt(d, intr, sizeof intr);
		class_width = widest(class_width, d->class->name);
		name_width = widest(name_width, given_name(d));
		where_width = widest(where_width, where);
		intr_width = widest(intr_width, intr);
	}
	if (name_width)
		name_width += 2; /* a column only where a vdev has a name */
	fprintf(out, "Devices\n");
	for (unsigned i = 0; i < b->n_vdevs; i++) {
		const struct vdev *d = b->vdev[i];

		places(d, where, sizeof where);
		interrupt(d, intr, sizeof intr);
		fprintf(out, "  %-*s  %-*s%-*s  %-*s%s\n", class_width, d->class->name, name_width,
			given_name(d), where_width, where, intr_width, intr,
			d->line ? origin(d->line, from) : "   (on every board)");
	}
}

static void print_files(const struct board *b, FILE *out)
{
	static const char *const verb[WANT_COUNT] = {
		[WANT_IMAGE] = "read",	  [WANT_OUTPUT] = "write",   [WANT_INPUT] = "read",
		[WANT_PTY] = "pty",	  [WANT_SOCKET] = "listen",  [WANT_COMMAND] = "run",
		[WANT_DISK] = "disk",	  [WANT_DISK_READ] = "read", [WANT_PASS] = "map",
		[WANT_PASS_READ] = "map", [WANT_UIO] = "uio",	     [WANT_UIO_BAR] = "map",
		[WANT_UIO_ARM] = "arm",	  [WANT_PCI] = "vfio",	     [WANT_VFIO] = "vfio",
		[WANT_SHMEM] = "share",	  [WANT_MEM] = "map",	     [WANT_MEM_READ] = "map",
		[WANT_PORTS] = "ports"};
	bool is_first = true;

	for (unsigned i = 0; i < b->n_loads; i++, is_first = false)
		fprintf(out, "%s  read   %s\n", is_first ? "Host files\n" : "", b->load[i].path);
	for (unsigned i = 0; i < b->n_vdevs; i++) {
		for (unsigned w = 0; w < b->vdev[i]->n_wants; w++) {
			const struct vdev_want *x = &b->vdev[i]->want[w];

			if (!strcmp(x->path, "-"))
				continue; /* the console is no file */
			fprintf(out, "%s  %-6s %s   (%s%s)\n", is_first ? "Host files\n" : "",
				x->kind < WANT_COUNT && verb[x->kind] ? verb[x->kind] : "open",
				x->path[0] ? x->path : "without a link",
				b->vdev[i]->class->is_pass ? "" : "vdev ", b->vdev[i]->name);
			is_first = false;
		}
	}
}

static void print_loggers(const char *of, const char *name, const struct loggers *l, FILE *out)
{
	for (unsigned i = 0; i < l->n; i++) {
		fprintf(out, "  %s%s%sto %s:%s", of, name, *of ? " " : "",
			loggers_dest_word[l->to[i].dest], l->to[i].filters ? "" : " nothing");
		for (unsigned f = 0; f < LOG_FILTERS; f++)
			if (l->to[i].filters >> f & 1)
				fprintf(out, " %s", loggers_filter_word[f]);
		fputc('\n', out);
	}
}

static void print_logging(const struct board *b, FILE *out)
{
	fprintf(out, "Messages\n");
	if (b->loggers.n == 0)
		fprintf(out, "  to stderr: fatal internal error warn info\n");
	print_loggers("", "", &b->loggers, out);
	for (unsigned i = 0; i < b->n_vdevs; i++)
		if (b->vdev[i]->loggers)
			print_loggers("vdev ", b->vdev[i]->name, b->vdev[i]->loggers, out);
}

void plan_print(const struct board *b, FILE *out)
{
	if (b->system[0])
		fprintf(out, "VM            %s\n", b->system);
	print_cpus(b, out);
	print_memory(b, out);
	print_images(b, out);
	print_vdevs(b, out);
	print_files(b, out);
	if (b->dump[0])
		fprintf(out, "Guest dumps   %s %s\n", b->dump[0] == '|' ? "piped to" : "in",
			b->dump[0] == '|' ? b->dump + 1 : b->dump);
	fprintf(out, "Where nobody answers\n");
	fprintf(out, "  instruction %s, reference %s, register %s\n",
		reaction[b->unsupported.instruction], reaction[b->unsupported.reference],
		reaction[b->unsupported.reg]);
	print_logging(b, out);
}

/* Addresses are strings: JSON numbers of 64 bits are not safe everywhere. */
static json_t *hex(uint64_t n)
{
	return json_sprintf("0x%" PRIx64, n);
}

/* The folder of a configuration may have any bytes in its name; JSON is UTF-8. */
static json_t *path_json(const char *path)
{
	char text[BOARD_PATH];

	utf8_copy(text, sizeof text, path, strlen(path));
	return json_string(text);
}

static json_t *memory_json(const struct board *b)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < b->n_memory; i++)
		json_array_append_new(list, json_pack("{s:s, s:o, s:I, s:i}", "kind",
						      b->memory[i].is_rom ? "rom" : "ram",
						      "address", hex(b->memory[i].gpa), "bytes",
						      (json_int_t)b->memory[i].bytes, "line",
						      (int)b->memory[i].line));
	return list;
}

static json_t *images_json(const struct board *b)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < b->n_loads; i++) {
		const struct board_load *l = &b->load[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:o, s:o, s:i}", "type", image_id[l->type],
						"path", path_json(l->path), "address",
						l->has_gpa ? hex(l->gpa) : json_null(), "line",
						(int)l->line));
	}
	return list;
}

static json_t *loggers_json(const struct loggers *l)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < l->n; i++) {
		json_t *filters = json_array();

		for (unsigned f = 0; f < LOG_FILTERS; f++)
			if (l->to[i].filters >> f & 1)
				json_array_append_new(filters, json_string(loggers_filter_word[f]));
		json_array_append_new(list, json_pack("{s:s, s:o}", "dest",
						      loggers_dest_word[l->to[i].dest], "filters",
						      filters));
	}
	return list;
}

static json_t *vdev_json(const struct vdev *d)
{
	json_t *regions = json_array(), *files = json_array(), *slot = NULL;
	char intr[64];

	if (d->slot >= 0)
		slot = json_sprintf("0:%x.%u", pci_slot_device(d->slot),
				    pci_slot_function(d->slot));

	interrupt(d, intr, sizeof intr);
	for (unsigned r = 0; r < d->n_regions; r++)
		json_array_append_new(regions,
				      json_pack("{s:s, s:o, s:I}", "space",
						d->region[r].space == VDEV_IO ? "io" : "mem",
						"address", hex(d->region[r].base), "bytes",
						(json_int_t)d->region[r].bytes));
	for (unsigned w = 0; w < d->n_wants; w++)
		json_array_append_new(files,
				      json_pack("{s:s, s:o}", "kind", want_kind_id(d->want[w].kind),
						"path", path_json(d->want[w].path)));
	return json_pack("{s:s, s:s, s:o*, s:o, s:o, s:o, s:o*, s:i}", "class", d->class->name,
			 "name", d->name, "pci", slot, "regions", regions, "interrupt",
			 strcmp(intr, "-") != 0 ? json_string(intr) : json_null(), "files", files,
			 "log", d->loggers ? loggers_json(d->loggers) : NULL, "line", (int)d->line);
}

/* One text for each vCPU that is not left to the host. */
static json_t *schedules_json(const struct board *b)
{
	json_t *list = json_array();
	char text[160];

	for (unsigned i = 0; b->cpu && i < b->n_cpus; i++)
		if (schedule(&b->cpu[i], text, sizeof text)[0])
			json_array_append_new(list, json_pack("{s:i, s:s, s:i}", "vcpu", (int)i,
							      "schedule", text, "line",
							      (int)b->cpu[i].line));
	return list;
}

char *plan_json(const struct board *b)
{
	json_t *vdevs = json_array(), *plan;
	char *text;

	for (unsigned i = 0; i < b->n_vdevs; i++)
		json_array_append_new(vdevs, vdev_json(b->vdev[i]));
	plan = json_pack("{s:s, s:i, s:s, s:o, s:b, s:I, s:I, s:o, s:o, s:s, s:o, s:s, s:{s:s, "
			 "s:s, s:s}, s:o}",
			 "system", b->system, "vcpus", (int)b->n_cpus, "partition", b->partition,
			 "schedules", schedules_json(b), "exit_on_halt", (int)b->exit_on_halt,
			 "ram_bytes", (json_int_t)board_memory_bytes(b, false), "rom_bytes",
			 (json_int_t)board_memory_bytes(b, true), "memory", memory_json(b),
			 "images", images_json(b), "cmdline", b->cmdline, "vdevs", vdevs, "dump",
			 b->dump, "unsupported", "instruction",
			 reaction[b->unsupported.instruction], "reference",
			 reaction[b->unsupported.reference], "register",
			 reaction[b->unsupported.reg], "loggers", loggers_json(&b->loggers));
	text = json_dumps(plan, JSON_INDENT(2));
	json_decref(plan);
	if (!text)
		abort(); /* every string in a board is UTF-8: only memory can be missing */
	return text;
}
