/* SPDX-License-Identifier: MIT */
/*
 * What the C guests do: as work.rs, as far as C has it. The Rust half brings
 * host_add(), host_batch() and guest_abort().
 */
#define GT_TARGET "cguest"
#include <guesttrace/guest.h>

int host_add(int a, int b);
void host_batch(const void *bytes, size_t count, uint64_t tsc);

int c_call(const char *name, int n, int *known);
void c_main(void);

#ifdef GT_BATCH_EXIT
void GT_BATCH_EXIT(const void *bytes, size_t count);

void GT_BATCH_EXIT(const void *bytes, size_t count)
{
	host_batch(bytes, count, __builtin_ia32_rdtsc());
}
#endif

static void trace_init(void)
{
#ifdef NATIVE
	/* Its pages are copied into the sandbox's scratch memory. */
	static uint64_t ring[(64 << 10) / 8];

	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .ring = ring,
	                             .ring_bytes = sizeof(ring),
	                             .level = GT_TRACE});
#else
	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .encoder = &WIRE,
	                             .level = GT_TRACE});
#endif
}

static int step(int i)
{
	GT_SPAN(span, GT_INFO, "step", gt_i64("i", i));

	if (i % 3 == 2)
		GT_EVENT(GT_WARN, "third step", gt_i64("i", i));
	GT_RECORD(span, gt_i64("twice", i * 2));
	return i * 2;
}

static int work(int n)
{
	GT_SPAN(outer, GT_INFO, "outer", gt_i64("n", n),
	        gt_str("label", "h\xc3\xa9llo \"q\""), gt_bool("ok", true),
	        gt_f64("f", 0.1));
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum = host_add(sum, step(i));
	GT_EVENT(GT_INFO, "done", gt_i64("sum", sum));
	return sum;
}

static int quiet(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += step(i);
	return sum;
}

static int signals(int n)
{
	struct gt_span first, second;

	GT_SPAN(all, GT_INFO, "signals", gt_ptr("p", (void *)0x1000),
	        gt_bytes("raw", "\1\2\377", 3), gt_u64("max", ~0ull),
	        gt_f64("third", 1.0 / 3), gt_str("bad", "x\xff" "y"));
	GT_OPEN(first, GT_DEBUG, "first", gt_root());
	GT_OPEN(second, GT_TRACE, "second", gt_parent(first));
	GT_COUNTER(GT_INFO, "load", gt_u64("entries", 4));
	GT_RECORD(second, gt_u64("late", 7));
	gt_close(&first); /* the parent first */
	gt_close(&second);
	GT_EVENT(GT_TRACE, "at trace");
	return n;
}

static int deep(int n)
{
	GT_SPAN(span, GT_INFO, "deep", gt_i64("n", n));

	return n > 1 ? 1 + deep(n - 1) : 1;
}

static int long_texts(int n)
{
	static char text[20000];

	for (int i = 0; i < (int)sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	GT_SPAN(span, GT_INFO, "long", gt_strn("text", text, (size_t)n));
	GT_EVENT(GT_INFO, "long event", gt_strn("text", text, (size_t)n));
	return n;
}

static int faults(int n)
{
	GT_SPAN(span, GT_INFO, "faulting", gt_i64("n", n));

	GT_EVENT(GT_INFO, "before the fault");
	*(volatile unsigned long *)0x7fff00000000ul = 1;
	return n;
}

/* What the guest counted: more than it can keep apart, nested too deep. */
static int lost(int n)
{
	(void)n;
	return (int)gt_vcpu0.lost;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

int c_call(const char *name, int n, int *known)
{
	static const struct {
		const char *name;
		int (*function)(int n);
	} all[] = {{"Work", work}, {"Quiet", quiet},     {"Signals", signals},
	           {"Deep", deep}, {"Long", long_texts}, {"Fault", faults},
	           {"Lost", lost}};
	int answer;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (!same(name, all[i].name))
			continue;
		*known = 1;
		gt_call_begin();
		answer = all[i].function(n);
		gt_call_end();
		return answer;
	}
	*known = 0;
	return 0;
}

void c_main(void)
{
	trace_init();
	{
		GT_SPAN(span, GT_INFO, "start");
		GT_EVENT(GT_INFO, "registering");
	}
	gt_call_end();
}
