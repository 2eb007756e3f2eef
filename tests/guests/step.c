/* SPDX-License-Identifier: MIT */
/*
 * A guest to be stopped at each of its instructions: a thread that uses all of
 * the recorder, handlers that interrupt it and one another, and a second thread
 * for guests that are preempted. It counts what it attempts, one instruction
 * each time, and says with each record who may be its parent.
 */
#define GT_TARGET "step"
#include <guesttrace/guest.h>

#include "tests/guest/step_board.h"

#define EACH(token) ((token)*UINT64_C(0x0001000100010001))

#ifdef GT_ENTER
volatile uint64_t step_held;
#define HELD_GVA ((uintptr_t)&step_held)
#else
#define HELD_GVA 0
#endif

static struct step_board *board;
static uint64_t ring[(16 << 10) / 8], nested[3 * 4096 / 8];
static const char filler[512] = "filler";

/* All that the library needs of a libc; few instructions to step through. */
void *memcpy(void *restrict to, const void *restrict from, size_t count);

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
	void *start = to;
	size_t words = count / 8;

	__asm__ volatile("rep movsq\n\t"
	                 "movq %3, %%rcx\n\t"
	                 "rep movsb"
	                 : "+D"(to), "+S"(from), "+c"(words)
	                 : "r"(count % 8)
	                 : "memory");
	return start;
}

void *memset(void *to, int byte, size_t count);

void *memset(void *to, int byte, size_t count)
{
	void *start = to;

	__asm__ volatile("rep stosb"
	                 : "+D"(to), "+c"(count)
	                 : "a"(byte)
	                 : "memory");
	return start;
}

/* ---- Counting and telling ------------------------------------------------ */

static void count(uint64_t *counter)
{
	__asm__ volatile("incq %0" : "+m"(*counter)::"memory", "cc");
}

static uint64_t new_token(void)
{
	uint64_t one = 1;

	__asm__ volatile("xaddq %0, %1"
	                 : "+r"(one), "+m"(board->tokens)::"memory", "cc");
	return one;
}

static volatile uint64_t *parents(void)
{
	return &board->parents[board->thread][board->depth];
}

static void may_become(uint64_t token)
{
	*parents() = *parents() << 16 | token;
}

#define ATTEMPT(operation)               \
	do {                             \
		count(&board->attempts); \
		operation;               \
		count(&board->done);     \
	} while (0)

/* What the test looks for in each record that has values. */
#define SELF(token)                                            \
	gt_u64("token", token), gt_u64("not_token", ~(token)), \
		gt_u64("parents", *parents())

static void event(void)
{
	uint64_t token = new_token();

	ATTEMPT(GT_EVENT(GT_INFO, "event", SELF(token)));
}

static void long_event(uint64_t bytes)
{
	uint64_t token = new_token();

	ATTEMPT(GT_EVENT(GT_INFO, "long", SELF(token),
	                 gt_bytes("filler", filler, bytes)));
}

static void counter(void)
{
	uint64_t token = new_token();

	ATTEMPT(GT_COUNTER(GT_INFO, "counter", SELF(token)));
}

/* ---- Operations that change who is the parent ---------------------------- */

static void close(struct gt_span *span, uint64_t outer)
{
	uint64_t inner = *parents() & 0xffff;

	if (!span->id)
		return;
	*parents() = outer << 16 | inner;
	ATTEMPT(gt_close(span));
	*parents() = outer;
}

static void enter(struct gt_span *span, uint64_t token)
{
	if (!span->id)
		return;
	may_become(token);
	ATTEMPT(gt_enter(span));
	*parents() = EACH(token);
}

static void leave(struct gt_span *span, uint64_t outer)
{
	uint64_t inner = *parents() & 0xffff;

	if (!span->id)
		return;
	*parents() = outer << 16 | inner;
	ATTEMPT(gt_exit(span));
	*parents() = outer;
}

static void note(struct gt_span *span)
{
	if (span->id)
		ATTEMPT(GT_RECORD(*span, gt_str("note", "left behind"),
		                  gt_u64("n", 1), gt_ok()));
}

static void apart(void)
{
	uint64_t token = new_token(), outer = *parents();
	struct gt_span span;

	ATTEMPT(GT_OPEN(span, GT_INFO, "apart", SELF(token)));
	enter(&span, token);
	event();
	leave(&span, outer);
	note(&span);
	counter();
	if (span.id)
		ATTEMPT(gt_close(&span));
}

/* No scheduler is preempted between choosing a context and entering it. */
static uint64_t change_context(uint64_t context, uint64_t current)
{
	uint64_t previous;

	board->switching = 1;
	count(&board->switches);
	ATTEMPT(previous = gt_switch(context, current));
	board->switching = 0;
	return previous;
}

static void turn(void)
{
	uint64_t outer = *parents(), context = GT_THIS_VCPU()->context;
	uint64_t current;

	may_become(0);
	current = change_context(context + 100, 0);
	*parents() = 0;
	event();
	*parents() = outer;
	change_context(context, current);
}

/* `body` NULL: only an event. */
static void scope(void (*body)(void))
{
	uint64_t token = new_token(), outer = *parents();

	count(&board->attempts);
	*parents() = outer << 16 | token;
	GT_SPAN(span, GT_INFO, "scope", gt_u64("token", token),
	        gt_u64("not_token", ~token), gt_u64("parents", outer));
	count(&board->done);
	*parents() = span.id ? EACH(token) : outer;
	event();
	if (body)
		body();
	note(&span);
	close(&span, outer);
}

/* ---- Handlers ------------------------------------------------------------ */

static void fill(void)
{
	for (unsigned i = 0; i < 10; i++)
		long_event(456); /* of a block no word remains for a close */
}

__attribute__((used)) static void handle(void)
{
	uint64_t what = board->handler[board->depth];

	board->parents[board->thread][board->depth + 1] = *parents();
	if (what == STEP_TURN && board->switching)
		what = STEP_EVENT;
	board->depth++;
	switch (what) {
	case STEP_EVENT:
		event();
		break;
	case STEP_SCOPE:
		scope(NULL);
		break;
	case STEP_APART:
		apart();
		break;
	case STEP_TURN:
		turn();
		break;
	case STEP_FILL:
		scope(fill);
		break;
	}
	board->depth--;
}

/* The thread that gets the next turn is the test's to run. */
static void give_turn(void) /* whoever gets it ends `switching` */
{
	uint64_t from, to;

	board->switching = 1;
	from = board->thread;
	to = from ^ 1;
	count(&board->switches);
	ATTEMPT(board->current[from] = gt_switch(to, board->current[to]));
	board->thread = to;
}

__attribute__((used)) static void preempt(void)
{
	give_turn();
	__asm__ volatile("hlt" ::: "memory");
	board->switching = 0;
}

/* As a processor enters and leaves: the test pushes RFLAGS and RIP. */
#define ENTRY(name, function)                                             \
	__asm__(".text\n" #name ":\n"                                     \
	        "push %rax; push %rcx; push %rdx; push %rbx; push %rbp\n" \
	        "push %rsi; push %rdi; push %r8; push %r9; push %r10\n"   \
	        "push %r11; push %r12; push %r13; push %r14; push %r15\n" \
	        "mov %rsp, %rbp; and $-16, %rsp; cld\n"                   \
	        "call " #function "\n"                                    \
	        "mov %rbp, %rsp\n"                                        \
	        "pop %r15; pop %r14; pop %r13; pop %r12; pop %r11\n"      \
	        "pop %r10; pop %r9; pop %r8; pop %rdi; pop %rsi\n"        \
	        "pop %rbp; pop %rbx; pop %rdx; pop %rcx; pop %rax\n"      \
	        "popfq; ret");                                            \
	void name(void)

ENTRY(interrupt_entry, handle);
ENTRY(preempt_entry, preempt);

/* ---- Threads ------------------------------------------------------------- */

static void more(void)
{
	apart();
	counter();
}

static void script(void)
{
	for (uint64_t i = 0; i < board->rounds; i++) {
		scope(more);
		if (board->flushes)
			gt_flush();
		turn();
		event();
	}
}

__attribute__((noreturn)) static void stop(void)
{
	for (;;)
		__asm__ volatile("hlt" ::: "memory");
}

__attribute__((noreturn)) static void second(void)
{
	board->switching = 0;
	script();
	stop();
}

__attribute__((section(".text.start"), noreturn, used)) void
start(struct step_board *at);

void start(struct step_board *at)
{
	board = at;
	board->interrupt_rip = (uintptr_t)interrupt_entry;
	board->preempt_rip = (uintptr_t)preempt_entry;
	board->second_rip = (uintptr_t)second;
	board->vcpu_gva = (uintptr_t)GT_THIS_VCPU();
	board->held_gva = HELD_GVA;
	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .ring = ring,
	                             .ring_bytes = board->ring_bytes,
	                             .nested = nested,
	                             .nested_bytes = sizeof(nested),
	                             .mode = (enum gt_ring_mode)board->mode,
	                             .level = GT_TRACE});
	gt_control.quiet = (uint32_t)board->quiet;
	for (uint64_t i = 0; i < board->long_events; i++)
		long_event(440);
	long_event(board->first_bytes);
	__asm__ volatile("hlt" ::: "memory"); /* from here on it is stepped */
	script();
	give_turn();
	stop();
}
