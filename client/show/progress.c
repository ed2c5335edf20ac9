/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "client/show/size.h"
#include "client/show/table.h"
#include "client/show/term.h"

enum {
	EVERY_MS = 100,
	RATE_MS = 500,
	/* less is no measure of anything */ BAR_LEAST = 8,
	BAR_MOST = 30
};

static bool is_dumb(void)
{
	const char *term = getenv("TERM");

	return !term || !*term || !strcmp(term, "dumb");
}

void progress_begin(struct progress *p, FILE *f, const char *label, uint64_t total, uint64_t before)
{
	*p = (struct progress){.f = f,
			       .label = label,
			       .total = total,
			       .before = before,
			       .begun_ms = clock_mono_ms(),
			       .is_shown = term_is_tty(f) && !is_dumb()};
}

/* "3.2M/s  0:04 left"; nothing is known in the first moment. */
static void add_rate(const struct progress *p, uint64_t done, uint64_t now_ms, char *ret,
		     size_t cap)
{
	uint64_t elapsed_ms = now_ms - p->begun_ms, fresh = done - p->before;
	uint64_t rate = elapsed_ms >= RATE_MS ? fresh * 1000 / elapsed_ms : 0, left_s;
	char size[SIZE_TEXT];
	size_t n = 0;

	ret[0] = '\0';
	if (!rate || done > p->total)
		return;
	left_s = (p->total - done + rate - 1) / rate;
	str_add(ret, cap, &n, "  %s/s", size_text(rate, size));
	if (left_s >= 3600)
		str_add(ret, cap, &n, "  %" PRIu64 ":%02" PRIu64 ":%02" PRIu64 " left",
			left_s / 3600, left_s / 60 % 60, left_s % 60);
	else
		str_add(ret, cap, &n, "  %" PRIu64 ":%02" PRIu64 " left", left_s / 60, left_s % 60);
}

static void add_bar(unsigned percent, unsigned columns, bool is_utf8, char *ret, size_t cap,
		    size_t *n)
{
	unsigned full = columns * percent / 100;

	for (unsigned i = 0; i < columns; i++)
		str_add(ret, cap, n, "%s",
			i < full  ? is_utf8 ? "\u2501" : "#"
			: is_utf8 ? "\u2500"
				  : "-");
}

const char *progress_line(const struct progress *p, uint64_t done, uint64_t now_ms, unsigned width,
			  bool is_utf8, char ret[static PROGRESS_LINE])
{
	unsigned percent = p->total ? (unsigned)((double)done * 100 / (double)p->total) : 100, used;
	char sizes[64], rate[64], a[SIZE_TEXT], b[SIZE_TEXT];
	size_t n = 0;

	snprintf(sizes, sizeof sizes, "  %s of %s", size_text(done, a), size_text(p->total, b));
	add_rate(p, done, now_ms, rate, sizeof rate);
	used = (unsigned)(strlen(sizes) + strlen(rate)) + 6; /* " 100% " */
	ret[0] = '\0';
	/* First the name gives way, then the bar, then the rest. */
	if (used + BAR_LEAST + table_text_width(p->label) < width) {
		str_add(ret, PROGRESS_LINE, &n, "%s", p->label);
		used += table_text_width(p->label);
	}
	str_add(ret, PROGRESS_LINE, &n, " %3u%% ", percent);
	if (used + BAR_LEAST < width)
		add_bar(percent, width - used - 1 < BAR_MOST ? width - used - 1 : BAR_MOST, is_utf8,
			ret, PROGRESS_LINE, &n);
	if (used < width)
		str_add(ret, PROGRESS_LINE, &n, "%s%s", sizes, rate);
	return ret;
}

void progress_show(struct progress *p, uint64_t done)
{
	uint64_t now_ms = clock_mono_ms();
	char line[PROGRESS_LINE];

	if (!p->is_shown || (p->drawn_ms && now_ms - p->drawn_ms < EVERY_MS && done < p->total))
		return;
	p->drawn_ms = now_ms;
	fprintf(p->f, "\r%s\033[K",
		progress_line(p, done, now_ms, term_width(p->f), term_is_utf8(), line));
	fflush(p->f);
}

void progress_end(struct progress *p)
{
	if (p->is_shown && p->drawn_ms)
		fprintf(p->f, "\r\033[K");
	p->is_shown = false;
}
