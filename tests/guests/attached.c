/* SPDX-License-Identifier: MIT */
/*
 * Records for as long as it is told and counts what it recorded, for readers
 * that come and go: sites are on or not, now and then. Words of the command
 * line:
 *
 *   for=TICKS    ends after so many million ticks of its TSC; 0, as without:
 * never rounds=N     ends after so many rounds; what it says at the end as
 * `result` depends on this alone every=TICKS  says what it has counted each so
 * many million ticks spin=TICKS   ticks of a round beside its records; else
 * 20,000 off          all sites are off at first flush, drop, overwrite: what a
 * full ring does; else as the host or, where none asks, overwrite switch calls
 * gt_switch() each round S=TICKS      elsewhere than on `guesttrace run`: runs
 * on page tables of its own and, after so many million ticks, reuses those it
 * booted with, so that they lead from its image to memory which is not the
 *                recorder's. It says what changes in there. root=N says that
 * its page tables are there, 0: nothing, whatever the recorder says.
 *
 * A round is a span `round` with the fields n, opening and closing, a span
 * `step` in it and an event `tick`. What is off is not evaluated: each n counts
 * on by one only if there is a record of it, or one that was lost. Opening,
 * closing and at are its own readings of the TSC.
 */
#define GT_TARGET "attached"
#include <guesttrace/guest.h>

#include "../../examples/runtime/runtime.h"

#define MILLION     1000000u
#define TABLE_WORDS 512u
#define LARGE_BYTES (UINT64_C(2) << 20)
#define PATTERN     UINT64_C(0x5b5b5b5b5b5b5b5b)

static struct {
	uint64_t ticks, rounds, every, spin, stale, root;
	enum gt_level level;
	enum gt_ring_mode mode;
	bool switches, is_stale, hides;
} want = {.spin = 20000, .level = GT_TRACE};

static struct {
	uint64_t rounds, spans, steps, events, result, longest, changed;
} counted;

/* pvh.S: the root, one table of 1 GiB entries, four of 2 MiB, one of 4 KiB. */
#define TABLES 7u
extern uint64_t runtime_pvh_tables[TABLES * TABLE_WORDS];
static uint64_t *victim;
static uint64_t ring[(256u << 10) / sizeof(uint64_t)];

static uint64_t now(void)
{
	return __builtin_ia32_rdtsc();
}

static void spin(uint64_t ticks)
{
	uint64_t from = now();

	while (now() - from < ticks)
		__builtin_ia32_pause();
}

static void put(const char *name, uint64_t value)
{
	char text[24], *at = text + sizeof(text);

	*--at = '\0';
	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	runtime_print(" ");
	runtime_print(name);
	runtime_print("=");
	runtime_print(at);
}

static void say(const char *when)
{
	runtime_print(when);
	put("rounds", counted.rounds);
	put("spans", counted.spans + counted.steps);
	put("steps", counted.steps);
	put("events", counted.events);
	put("lost", gt_vcpu0.lost + gt_vcpu0.ring[0].lost);
	put("longest", counted.longest);
	put("result", counted.result);
	put("changed", counted.changed);
	runtime_print("\n");
}

/* Page tables as a kernel makes them once it no longer needs those of its boot.
 */
static void leave_boot_tables(void)
{
	uint64_t *own = runtime_alloc(TABLES * 4096, 4096);
	uint64_t at = (uintptr_t)runtime_alloc(2 * LARGE_BYTES, 4096);

	if (!runtime_pvh_tables[0] || !own || !at)
		runtime_panic("no boot tables to leave, or no memory");
	victim = (uint64_t *)((at + LARGE_BYTES - 1) & ~(LARGE_BYTES - 1));
	memset(victim, (int)(PATTERN & 0xff), LARGE_BYTES);
	memcpy(own, runtime_pvh_tables, TABLES * 4096);
	/* Those that lead to another table; behind them are the large pages. */
	for (unsigned i = 0; i < 2 * TABLE_WORDS + 1; i++)
		if (own[i])
			own[i] +=
				(uintptr_t)own - (uintptr_t)runtime_pvh_tables;
	__asm__ volatile("movq %0, %%cr3" ::"r"(own) : "memory");
}

/* The image is linked at 4 MiB and is smaller than 2. */
static void reuse_boot_tables(void)
{
	want.is_stale = true;
	runtime_pvh_tables[2 * TABLE_WORDS + 2] = (uintptr_t)victim | 0x87;
	runtime_print("boot tables reused\n");
}

static void look_for_changes(void)
{
	for (uint64_t i = 0; i < LARGE_BYTES / 8; i++)
		if (victim[i] != PATTERN) {
			counted.changed++;
			put("CHANGED at", (uintptr_t)&victim[i]);
			put("to", victim[i]);
			runtime_print("\n");
			victim[i] = PATTERN;
		}
}

/* After each record: at ends of blocks the recorder says it. */
static void hide(void)
{
	if (want.hides)
		*(volatile uint64_t *)&gt_control.root = want.root;
}

static void round(void)
{
	uint64_t opening = now();
	GT_SPAN(span, GT_INFO, "round", gt_u64("n", counted.spans++),
	        gt_u64("opening", opening));

	hide();
	if (want.switches)
		gt_switch(counted.rounds & 1, gt_current());
	{
		GT_SPAN(step, GT_DEBUG, "step", gt_u64("n", counted.steps++));
		hide();
		spin(want.spin);
		GT_EVENT(GT_INFO, "tick", gt_u64("n", counted.events++),
		         gt_u64("at", now()));
		hide();
	}
	counted.result = (counted.result ^ counted.rounds) *
	                 UINT64_C(6364136223846793005);
	GT_RECORD(span, gt_u64("closing", now()));
}

static void run(void)
{
	uint64_t from = now(), said = from, before = from, at;

	for (; !want.rounds || counted.rounds < want.rounds; counted.rounds++) {
		round();
		hide();
		at = now();
		if (at - before > counted.longest)
			counted.longest = at - before;
		if (want.ticks && at - from >= want.ticks)
			break;
		if (victim && !want.is_stale && at - from >= want.stale)
			reuse_boot_tables();
		if (want.every && at - said >= want.every) {
			if (victim)
				look_for_changes();
			say("counted");
			said = at;
		}
		before = now(); /* saying is no part of a round */
	}
}

static bool is_number(const char *word, const char *name, uint64_t unit,
                      uint64_t *value)
{
	size_t n = strlen(name);

	if (strncmp(word, name, n) != 0)
		return false;
	*value = runtime_parse_u64(word + n) * unit;
	return true;
}

static bool is_known(const char *word)
{
	static const char *const modes[] = {"flush", "drop", "overwrite"};

	for (unsigned i = 0; i < 3; i++)
		if (strcmp(word, modes[i]) == 0) {
			want.mode = (enum gt_ring_mode)i;
			return true;
		}
	if (strcmp(word, "off") == 0)
		want.level = GT_OFF;
	else if (is_number(word, "root=", 1, &want.root))
		want.hides = true;
	else if (strcmp(word, "switch") == 0)
		want.switches = true;
	else if (is_number(word, "S=", MILLION, &want.stale))
		leave_boot_tables();
	else
		return is_number(word, "for=", MILLION, &want.ticks) ||
		       is_number(word, "rounds=", 1, &want.rounds) ||
		       is_number(word, "every=", MILLION, &want.every) ||
		       is_number(word, "spin=", 1, &want.spin);
	return true;
}

int guest_main(int argc, char **argv)
{
	want.mode = (enum gt_ring_mode)runtime_boot()->ring_mode;
	for (int i = 1; i < argc; i++)
		if (!is_known(argv[i]))
			runtime_panic(argv[i]);
	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .ring = ring,
	                             .ring_bytes = sizeof(ring),
	                             .mode = want.mode,
	                             .level = want.level});
	hide();
	runtime_print("attached: recording\n");
	run();
	if (victim)
		look_for_changes();
	say("at the end");
	gt_flush();
	return 0;
}
