/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/incident.h"

#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "daemon/store/store.h"
#include "schemas/exit_reason.h"

const char *incident_signal(int signal, char ret[static 24])
{
	const char *name = signal ? sigabbrev_np(signal) : NULL;

	ret[0] = '\0';
	if (name)
		snprintf(ret, 24, "SIG%s", name);
	else if (signal)
		snprintf(ret, 24, "signal %d", signal);
	return ret;
}

const char *incident_syscall(int nr, char ret[static 48])
{
	char *name = nr >= 0 ? seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr) : NULL;

	ret[0] = '\0';
	if (name)
		str_copy(ret, 48, name);
	else if (nr >= 0)
		snprintf(ret, 48, "number %d", nr);
	free(name);
	return ret;
}

/* The last lines of a text, made safe for a terminal. */
static void keep_lines(char *text, size_t n, unsigned lines)
{
	size_t from = n;

	text[n] = '\0';
	if (from && text[from - 1] == '\n')
		from--;
	while (from > 0 && !(text[from - 1] == '\n' && --lines == 0))
		from--;
	memmove(text, text + from, n - from + 1);
	n -= from;
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\r' || text[i] == '\0')
			text[i] = text[i] == '\r' ? ' ' : '?';
	str_printable(text, n);
}

/* The newest bytes of a ring: begin as far behind the head as fits. */
static uint64_t tail(const _Atomic uint64_t *head)
{
	uint64_t end = atomic_load_explicit(head, memory_order_acquire);

	return end > INCIDENT_TEXT - 1 ? end - (INCIDENT_TEXT - 1) : 0;
}

static void cut_texts(struct incident *i, const struct blackbox_map *box, const char *words)
{
	uint64_t pos = tail(&box->box->console_head);
	size_t n = blackbox_read_console(box, &pos, i->console, sizeof i->console - 1);

	keep_lines(i->console, n, INCIDENT_LINES);
	pos = tail(&box->box->log_head);
	n = blackbox_read_log(box, &pos, i->log, sizeof i->log - 1);
	str_add(i->log, sizeof i->log, &n, "%s", words);
	keep_lines(i->log, n, INCIDENT_LINES);
}

void incident_cut(struct incident *i, const struct blackbox_map *box, const char *words,
		  uint64_t now_ns)
{
	struct blackbox_regs regs = {0};
	uint64_t started;

	i->end_ns = now_ns;
	if (!box->box) {
		str_copy(i->log, sizeof i->log, words);
		keep_lines(i->log, strlen(i->log), INCIDENT_LINES);
		return;
	}
	cut_texts(i, box, words);
	started = atomic_load(&box->box->started_ns);
	if (started && started < now_ns)
		i->uptime_ms = (now_ns - started) / 1000000;
	i->n_exits = blackbox_read_exits(box, i->exit, INCIDENT_EXITS);
	i->n_vcpus = box->n_vcpus < INCIDENT_VCPUS ? box->n_vcpus : INCIDENT_VCPUS;
	for (size_t n = 0; n < i->n_vcpus; n++) {
		const struct blackbox_vcpu *v = &box->vcpu[n];

		i->vcpu[n].state = atomic_load(&v->state);
		i->vcpu[n].rip = atomic_load(&v->last_rip);
		for (unsigned r = 0; r < BLACKBOX_REASONS; r++)
			i->vcpu[n].exits += atomic_load(&v->exits[r]);
		i->exits += i->vcpu[n].exits;
		i->vcpu[n].has_regs = blackbox_read_regs(box, (uint32_t)n, &regs);
		memcpy(i->vcpu[n].reg, &regs, sizeof i->vcpu[n].reg);
	}
}

static const char *vcpu_state_id(uint32_t state)
{
	static const char *const id[] = {
		[BLACKBOX_VCPU_OFF] = "off",   [BLACKBOX_VCPU_GUEST] = "guest",
		[BLACKBOX_VCPU_EXIT] = "exit", [BLACKBOX_VCPU_HALTED] = "halted",
		[BLACKBOX_VCPU_HELD] = "held",
	};

	return state < sizeof id / sizeof *id ? id[state] : "?";
}

static int write_exit(struct store *s, int64_t id, const struct incident *i, size_t n,
		      struct err *e)
{
	const struct blackbox_exit *x = &i->exit[n];
	uint64_t at = x->at_ns;

	return STORE_RUN(s, e,
			 "INSERT INTO incident_exit (incident, n, ago_us, vcpu, reason, is_write, "
			 "address, width, value, rip) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			 STORE_INT(id), STORE_INT(n),
			 STORE_INT(at < i->end_ns ? (i->end_ns - at) / 1000 : 0),
			 STORE_INT(x->vcpu), STORE_TEXT(exit_reason_id(x->reason)),
			 STORE_INT(x->is_write != 0), STORE_INT(x->address), STORE_INT(x->width),
			 STORE_INT(x->value), STORE_INT(x->rip));
}

/* In the order of struct blackbox_regs. */
static const char *const register_name[INCIDENT_REGS] = {
	"rax", "rbx", "rcx", "rdx", "rsi", "rdi",    "rsp", "rbp", "r8",  "r9",	 "r10", "r11",
	"r12", "r13", "r14", "r15", "rip", "rflags", "cr0", "cr2", "cr3", "cr4", "efer"};
_Static_assert(offsetof(struct blackbox_regs, efer) == (INCIDENT_REGS - 1) * sizeof(uint64_t),
	       "registers are copied as they lie there");

static int write_vcpu(struct store *s, int64_t id, const struct incident *i, size_t n,
		      struct err *e)
{
	const struct incident_vcpu *v = &i->vcpu[n];
	char registers[INCIDENT_REGS * 32] = "";
	size_t at = 0;

	for (size_t r = 0; v->has_regs && r < INCIDENT_REGS; r++)
		str_add(registers, sizeof registers, &at, "%s%s=0x%" PRIx64, r ? " " : "",
			register_name[r], v->reg[r]);
	return STORE_RUN(s, e,
			 "INSERT INTO incident_vcpu (incident, vcpu, state, rip, exits, registers) "
			 "VALUES (?, ?, ?, ?, ?, ?)",
			 STORE_INT(id), STORE_INT(n), STORE_TEXT(vcpu_state_id(v->state)),
			 STORE_INT(v->rip), STORE_INT(v->exits), STORE_TEXT(registers));
}

int incident_newest(struct store *s, int64_t *ret, struct err *e)
{
	return store_number(s,
			    "SELECT max((SELECT coalesce(max(id), 0) FROM incident), "
			    "(SELECT coalesce(max(incident), 0) FROM event))",
			    NULL, 0, 0, ret, e);
}

int incident_write(struct store *s, const struct incident *i, struct err *e)
{
	char signal[24], call[48];

	incident_signal(i->ending.signal, signal);
	incident_syscall(i->ending.syscall, call);
	if (STORE_RUN(s, e,
		      "INSERT INTO incident (id, vm, at_ms, generation, revision, cause, sentence, "
		      "detail, reaction, exit_code, signal, syscall, error_id, error, origin, "
		      "uptime_ms, console, log, noticed_ms, cpu_ms, peak_bytes, exits) VALUES "
		      "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      STORE_INT(i->id), STORE_TEXT(i->vm), STORE_INT(i->at_ms),
		      STORE_INT(i->generation), STORE_INT(i->revision),
		      STORE_TEXT(cause_id(i->ending.cause)), STORE_TEXT(i->sentence),
		      STORE_TEXT(i->detail), STORE_TEXT(i->reaction),
		      STORE_INT(i->ending.exit_code), STORE_TEXT(signal), STORE_TEXT(call),
		      STORE_TEXT(i->err.code ? err_id(i->err.code) : ""), STORE_TEXT(i->err.msg),
		      STORE_TEXT(i->err.n_frames ? i->err.frame[0].where : ""),
		      STORE_INT(i->uptime_ms), STORE_TEXT(i->console), STORE_TEXT(i->log),
		      STORE_INT(i->noticed_ms), STORE_INT(i->cpu_ms), STORE_INT(i->peak_bytes),
		      STORE_INT(i->exits)) < 0)
		return err_wrap(e, "write the incident of '%s'", i->vm);
	for (size_t n = 0; n < i->n_exits; n++)
		if (write_exit(s, i->id, i, n, e) < 0)
			return -1;
	for (size_t n = 0; n < i->n_vcpus; n++)
		if (write_vcpu(s, i->id, i, n, e) < 0)
			return -1;
	return 0;
}

int incident_prune(struct store *s, const char *vm, uint64_t keep, int64_t before_ms, struct err *e)
{
	if (keep &&
	    STORE_RUN(s, e,
		      "DELETE FROM incident WHERE vm = ?1 AND id <= (SELECT id FROM incident "
		      "WHERE vm = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
		      STORE_TEXT(vm), STORE_INT(keep)) < 0)
		return -1;
	return STORE_RUN(s, e, "DELETE FROM incident WHERE vm = ? AND at_ms < ?", STORE_TEXT(vm),
			 STORE_INT(before_ms));
}

int incident_note_dump(struct store *s, const char *vm, int64_t generation, const char *path,
		       struct err *e)
{
	return STORE_RUN(s, e, "UPDATE incident SET dump = ? WHERE vm = ? AND generation = ?",
			 STORE_TEXT(path), STORE_TEXT(vm), STORE_INT(generation));
}
