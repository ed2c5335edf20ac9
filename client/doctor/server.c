/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - the checks of a host by its API: they work from anywhere. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "client/doctor/doctor.h"
#include "client/show/age.h"
#include "client/show/field.h"
#include "client/show/size.h"

enum { MIB = 1 << 20, GIB = 1 << 30, NAMES = 256 };
static const int64_t day_ms = INT64_C(24) * 3600 * 1000;
enum { CERTIFICATE_DAYS = 30, TOKEN_DAYS = 14 };

void check_server(const struct patient *p, struct finding *f)
{
	if (!p->health) {
		doctor_say(f, DOCTOR_WARNING, "%.400s", p->why_no_server);
		doctor_mend(f, "systemctl status qvmd; journalctl -u qvmd");
	} else if (!field_true(p->health, "supervisor") || !field_true(p->health, "store")) {
		doctor_say(f, DOCTOR_ERROR, "the API answers, but %s",
			   field_true(p->health, "supervisor")
				   ? "cannot read the supervisor's database"
				   : "its supervisor is away");
		doctor_mend(f, "systemctl status qvmd; journalctl -u qvmd");
	} else {
		doctor_say(f, DOCTOR_OK, "the API answers, and its supervisor is there");
	}
}

static const json_t *fact(const struct patient *p, const char *part, const char *name)
{
	return json_object_get(json_object_get(p->host, part), name);
}

static const char *text_fact(const struct patient *p, const char *part, const char *name)
{
	return field_text(json_object_get(p->host, part), name);
}

void check_host_state(const struct patient *p, struct finding *f)
{
	if (strcmp(field_text(p->host, "state"), "safe") != 0) {
		doctor_say(f, DOCTOR_OK, "sound: VMs may start");
		return;
	}
	doctor_say(f, DOCTOR_ERROR, "the host is in its safe state and starts no VM: %.300s",
		   field_text(p->host, "why"));
	doctor_mend(f, "mend what it names, then qvmadm host release");
}

void check_confinement(const struct patient *p, struct finding *f)
{
	const char *weaker = text_fact(p, "facts", "weaker");

	if (*weaker)
		doctor_say(f, DOCTOR_WARNING, "weaker than it could be: %.400s", weaker);
	else
		doctor_say(f, DOCTOR_OK, "workers are held by %.200s",
			   text_fact(p, "enforced", "limits"));
	if (*weaker)
		doctor_mend(f,
			    "see above, or `qvmadm doctor` on the host, for what is missing there");
}

void check_kvm_features(const struct patient *p, struct finding *f)
{
	char missing[NAMES] = "";
	const json_t *x;
	size_t i, n = 0;

	json_array_foreach ((json_t *)fact(p, "kvm", "features"), i, x)
		if (field_true(x, "needed") && !field_true(x, "offered"))
			str_add(missing, sizeof missing, &n, " %s", field_text(x, "name"));
	if (!n) {
		doctor_say(f, DOCTOR_OK, "has what every VM needs");
		return;
	}
	doctor_say(f, DOCTOR_ERROR, "%s; not there:%s", text_fact(p, "facts", "kvm"), missing);
	doctor_mend(f, "qvmadm host tells more; qvmadm doctor on the host itself");
}

void check_versions(const struct patient *p, struct finding *f)
{
	const char *qvmd = text_fact(p, "programs", "qvmd"),
		   *api = text_fact(p, "programs", "qvm-api");

	if (!strcmp(qvmd, QVM_VERSION) && !strcmp(api, QVM_VERSION)) {
		doctor_say(f, DOCTOR_OK, "qvmadm, qvm-api and qvmd are %s", QVM_VERSION);
		return;
	}
	doctor_say(f, DOCTOR_WARNING, "qvmadm is %s, qvm-api %.40s, qvmd %.40s", QVM_VERSION, api,
		   qvmd);
	doctor_mend(f, "systemctl restart qvmd takes what is installed; guests run on meanwhile");
}

void check_state_disk(const struct patient *p, struct finding *f)
{
	const json_t *store = json_object_get(p->host, "store");
	int64_t left = field_number(store, "free_bytes", 0),
		total = field_number(store, "total_bytes", 0);
	char a[SIZE_TEXT], b[SIZE_TEXT];

	if (total == 0) {
		doctor_say(f, DOCTOR_UNKNOWN, "its file system does not tell");
		return;
	}
	doctor_say(f,
		   left < 64 * MIB ? DOCTOR_ERROR
		   : left < GIB	   ? DOCTOR_WARNING
				   : DOCTOR_OK,
		   "%s of %s free", size_text((uint64_t)left, a), size_text((uint64_t)total, b));
	if (f->result != DOCTOR_OK)
		doctor_mend(f, "make room: without any no VM is started; `qvmadm dumps VM` lists "
			       "old dumps");
}

void check_memory(const struct patient *p, struct finding *f)
{
	const json_t *c = json_object_get(p->host, "capacity");
	int64_t available = field_number(c, "available_bytes", 0),
		total = field_number(c, "memory_bytes", 0);
	int64_t budget = field_number(c, "budget_bytes", 0),
		swap = field_number(c, "swap_bytes", 0);
	char a[SIZE_TEXT], b[SIZE_TEXT];

	if (available < total / 20) {
		doctor_say(f, DOCTOR_WARNING,
			   "only %s of %s are available: the kernel may end a VM",
			   size_text((uint64_t)available, a), size_text((uint64_t)total, b));
		doctor_mend(f, "`qvmadm top -s memory` shows who has it; stop what is not needed");
	} else if (budget >= total) {
		doctor_say(f, DOCTOR_NOTE,
			   "%s of %s are available; guests may be promised all, which leaves the "
			   "host none",
			   size_text((uint64_t)available, a), size_text((uint64_t)total, b));
		doctor_mend(f, "memory-budget in qvmd.conf, at most what guests may have");
	} else {
		doctor_say(f, swap ? DOCTOR_NOTE : DOCTOR_OK, "%s of %s are available%s",
			   size_text((uint64_t)available, a), size_text((uint64_t)total, b),
			   swap ? "; some is swapped out" : "");
	}
}

void check_vms(const struct patient *p, struct finding *f)
{
	char safe[NAMES] = "", ill[NAMES] = "";
	size_t i, n = 0, m = 0, all = json_array_size(p->vms);
	const json_t *vm;

	json_array_foreach (p->vms, i, vm) {
		const char *health = field_word(vm, "health");

		if (!strcmp(field_word(vm, "observed"), "safe"))
			str_add(safe, sizeof safe, &n, " %s", field_text(vm, "name"));
		else if (!strcmp(health, "suspect") || !strcmp(health, "failed"))
			str_add(ill, sizeof ill, &m, " %s", field_text(vm, "name"));
	}
	if (n || m) {
		doctor_say(f, DOCTOR_WARNING, "%s%.200s%s%s%.200s", n ? "in the safe state:" : "",
			   safe, n && m ? "; " : "", m ? "not well:" : "", ill);
		doctor_mend(f, "qvmadm incidents VM tells why; start VM or release VM leads out");
	} else {
		doctor_say(f, DOCTOR_OK, "none of %zu is in its safe state or unwell", all);
	}
}

void check_tokens(const struct patient *p, struct finding *f)
{
	char ended[NAMES] = "", soon[NAMES] = "";
	size_t i, n = 0, m = 0;
	const json_t *x;

	if (!p->tokens) {
		doctor_say(f, DOCTOR_UNKNOWN, "%s",
			   p->is_denied ? "only who is admin may see them"
					: "the server did not tell");
		return;
	}
	json_array_foreach (p->tokens, i, x) {
		int64_t until_ms = age_parse(field_text(x, "expires"));

		if (until_ms > 0 && until_ms <= p->now_ms)
			str_add(ended, sizeof ended, &n, " %s", field_text(x, "name"));
		else if (until_ms > 0 && until_ms < p->now_ms + TOKEN_DAYS * day_ms)
			str_add(soon, sizeof soon, &m, " %s", field_text(x, "name"));
	}
	if (n || m) {
		doctor_say(f, m ? DOCTOR_WARNING : DOCTOR_NOTE, "%s%.200s%s%s%.200s",
			   n ? "have ended:" : "", ended, n && m ? "; " : "",
			   m ? "end within 14 days:" : "", soon);
		doctor_mend(
			f,
			"qvmadm token delete NAME, then token create NAME for who still needs it");
	} else {
		doctor_say(f, DOCTOR_OK, "none of %zu has ended or ends within %d days",
			   json_array_size(p->tokens), TOKEN_DAYS);
	}
}

void check_certificate(const struct patient *p, struct finding *f)
{
	const char *until = field_text(p->host, "certificate_until");
	int64_t until_ms = age_parse(until);
	char age[AGE_TEXT];

	if (!*until) {
		doctor_say(f, DOCTOR_OK, "none: the API is on its unix socket alone");
		return;
	}
	doctor_say(f,
		   until_ms <= p->now_ms			      ? DOCTOR_ERROR
		   : until_ms < p->now_ms + CERTIFICATE_DAYS * day_ms ? DOCTOR_WARNING
								      : DOCTOR_OK,
		   "ends %s", age_text(until, p->now_ms, age));
	if (f->result != DOCTOR_OK)
		doctor_mend(f, "put a new one in its place, then systemctl reload qvmd");
}
