/* SPDX-License-Identifier: MIT */
#include "attach_qmp.h"
#include "command.h"
#include "monotonic.h"
#include "qmp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_NS (3 * NS_PER_S)
#define PAGE_MASK   UINT64_C(4095)

/* Intel SDM volume 3, 2.5 and 2.2.1: 64-bit paging is on. */
#define CR0_PG      (UINT64_C(1) << 31)
#define CR4_PAE     (UINT64_C(1) << 5)
#define EFER_LMA    (UINT64_C(1) << 10)
#define CR3_ADDRESS UINT64_C(0x000ffffffffff000)

static bool read_hex(const char *at, const char *end, uint64_t *ret_value)
{
	uint64_t value = 0;
	unsigned digits = 0;

	for (; at < end; at++, digits++) {
		unsigned char c = (unsigned char)*at;

		if (c >= '0' && c <= '9')
			c = (unsigned char)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			c = (unsigned char)((c | 32) - 'a' + 10);
		else
			break;
		if (digits == 16)
			return false;
		value = value << 4 | c;
	}
	*ret_value = value;
	return digits > 0;
}

/* What follows the last `name`. */
static bool find_hex(const char *text, size_t size, const char *name,
                     uint64_t *ret_value)
{
	size_t n = strlen(name);

	for (size_t at = size; at >= n; at--)
		if (memcmp(text + at - n, name, n) == 0)
			return read_hex(text + at, text + size, ret_value);
	return false;
}

uint64_t attach_qmp_root(const char *text, size_t size)
{
	uint64_t cr0, cr3, cr4, efer;

	if (!find_hex(text, size, "CR0=", &cr0) ||
	    !find_hex(text, size, "CR3=", &cr3) ||
	    !find_hex(text, size, "CR4=", &cr4) ||
	    !find_hex(text, size, "EFER=", &efer))
		return 0;
	return cr0 & CR0_PG && cr4 & CR4_PAE && efer & EFER_LMA
	               ? cr3 & CR3_ADDRESS
	               : 0;
}

uint64_t attach_qmp_address(const char *text, size_t size)
{
	uint64_t address;

	return find_hex(text, size, " is 0x", &address) &&
	                       !(address & PAGE_MASK)
	               ? address
	               : 0;
}

/* A refusal is an answer: older versions have not all of these. */
static int hear(int r)
{
	return r == -ENOTSUP ? 0 : r;
}

static int ask_state(struct qmp *qmp, struct attach_qmp *says)
{
	struct qmp_answer answer = {.base_memory = 0};
	int r = hear(
		qmp_ask(qmp, "{\"execute\": \"query-status\"}\n", &answer));

	says->is_running = answer.status.count == strlen("running") &&
	                   memcmp(answer.status.bytes, "running",
	                          answer.status.count) == 0;
	if (r < 0)
		return r;
	answer = (struct qmp_answer){.base_memory = 0};
	r = hear(qmp_ask(qmp, "{\"execute\": \"query-memory-size-summary\"}\n",
	                 &answer));
	says->bytes = answer.base_memory & ~PAGE_MASK;
	return r;
}

static int ask_human(struct qmp *qmp, struct attach_qmp *says)
{
	struct gt_text text = {"", 0};
	int r = hear(qmp_human(qmp, "gpa2hva 0x0", &text));

	if (r < 0)
		return r;
	says->low = attach_qmp_address(text.bytes, text.count);
	text = (struct gt_text){"", 0};
	r = hear(qmp_human(qmp, "gpa2hva 0x100000000", &text));
	if (r < 0)
		return r;
	says->high = attach_qmp_address(text.bytes, text.count);
	text = (struct gt_text){"", 0};
	r = hear(qmp_human(qmp, "info registers", &text));
	says->root = attach_qmp_root(text.bytes, text.count);
	return r;
}

int attach_qmp_ask(struct attach_qmp *qmp)
{
	struct attach_qmp says = {.path = qmp->path};
	struct qmp *session = malloc(sizeof(*session));
	int r = session ? qmp_open(session, qmp->path, PATIENCE_NS) : -ENOMEM;

	if (r == 0) {
		r = ask_state(session, &says);
		if (r == 0)
			r = ask_human(session, &says);
		qmp_close(session);
	}
	free(session);
	if (r == 0)
		*qmp = says;
	return r;
}

int attach_qmp_begin(struct attach_qmp *qmp, const char *path)
{
	int r;

	qmp->path = path;
	r = attach_qmp_ask(qmp);
	if (r == -EPROTO || r == -EMSGSIZE || r == -ENOTSUP)
		complain("%s: what answers there is no QMP", path);
	else if (r == -ETIMEDOUT || r == -EAGAIN)
		complain("%s: no answer within 3 s; QMP serves one client at a "
		         "time",
		         path);
	else if (r == -EPIPE || r == -ECONNRESET)
		complain("%s: the connection was closed", path);
	else if (r < 0)
		complain("%s: %s", path, code_text(r));
	else if (!qmp->is_running)
		complain("%s: the VM does not run now: nothing is recorded "
		         "until it does",
		         path);
	return r;
}
