/* SPDX-License-Identifier: MIT */
/* Where the time went: against a model that looks at every nanosecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "export/run/collect.h"

#define VCPUS    2u
#define END_NS   96u
#define SPANS    10u
#define RUNS     20000u
#define START_NS UINT64_C(1795420800123456789)

static const struct gt_site_view sites[] = {
	{.name = {"step", 4}, .target = {"t", 1}, .level = GT_INFO},
	{.name = {"leap", 4}, .target = {"t", 1}, .level = GT_INFO},
};

/* What one vCPU does in each nanosecond. */
struct model {
	uint8_t part[VCPUS][END_NS];
};

static unsigned below(unsigned limit)
{
	return (unsigned)rand() % limit;
}

static void add_stretch(struct gt__collect *c, struct model *m, uint32_t vcpu,
                        uint64_t from, uint64_t to)
{
	struct gt_host_span_view v = {
		.id = 1,
		.start_ns = START_NS + from,
		.end_ns = START_NS + to,
		.kind = below(2) ? GT_HOST_GUEST : GT_HOST_EXIT,
		.reason = (enum gt_exit_reason)below(GT_EXIT_ERROR + 1),
		.tracing = below(4) == 0,
		.vcpu = vcpu,
		.waiting_ns = below(3) ? 0 : below((unsigned)(to - from) + 1),
	};
	uint64_t duration = to - from, x;
	uint8_t part = v.kind == GT_HOST_GUEST ? GT__PART_GUEST
	               : v.tracing
	                       ? GT__PART_TRACING
	                       : (uint8_t)((int)GT__PART_EXIT + (int)v.reason);

	for (x = 0; x < duration; x++) {
		bool waits = v.waiting_ns * (x + 1) / duration >
		             v.waiting_ns * x / duration;

		m->part[vcpu][from + x] = waits ? GT__PART_WAITING : part;
	}
	assert_int_equal(gt__collect_host_span(c, &v), 0);
}

static void add_stretches(struct gt__collect *c, struct model *m)
{
	uint32_t vcpu;

	memset(m->part, GT__PART_UNKNOWN, sizeof m->part);
	for (vcpu = 0; vcpu < VCPUS; vcpu++) {
		uint64_t at = below(30), next;

		for (; at < END_NS - 20 && below(12); at = next) {
			next = at + below(20);
			add_stretch(c, m, vcpu, at, next);
		}
	}
}

static void add_spans(struct gt__collect *c, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		uint64_t start = below(END_NS), end = start;
		struct gt_span_view v = {
			.id = i + 1,
			.parent_id = below(i + 2),
			.sequence = i + 1,
			.site = &sites[below(2)],
			.vcpu = below(VCPUS),
			.flags = below(3) ? 0 : 1u << below(7),
		};

		end += below((unsigned)(END_NS - start) + 1);
		v.start_ns = START_NS + start;
		v.end_ns = START_NS + end;
		v.close_vcpu = below(VCPUS);
		assert_int_equal(gt__collect_span(c, &v), 0);
	}
}

static bool is_open(const struct gt__span *s, uint64_t time_ns)
{
	return s->view.start_ns <= time_ns && time_ns < s->view.end_ns;
}

static bool child_is_open(const struct gt__collect *c, uint32_t parent,
                          uint64_t time_ns)
{
	uint32_t i;

	for (i = 0; i < c->span_count; i++)
		if (c->spans[i].parent == parent &&
		    is_open(&c->spans[i], time_ns))
			return true;
	return false;
}

static void want_split(const struct gt__collect *c, const struct model *m,
                       uint32_t index, uint64_t *total, uint64_t *self)
{
	const struct gt__span *s = &c->spans[index];
	uint64_t x;

	for (x = 0; x < END_NS; x++) {
		unsigned part = m->part[s->view.vcpu][x];

		if (!is_open(s, START_NS + x))
			continue;
		total[part]++;
		if (!child_is_open(c, index, START_NS + x))
			self[part]++;
	}
}

static void expect_row(const struct gt__timeline *t, const uint64_t *row,
                       const uint64_t *want, uint64_t sum_ns)
{
	uint64_t sum = 0, left[GT__PARTS];
	uint32_t i;

	memcpy(left, want, sizeof left);
	for (i = 0; i < t->columns; i++) {
		assert_int_equal(row[i], left[t->parts[i]]);
		left[t->parts[i]] = 0;
		sum += row[i];
	}
	for (i = 0; i < GT__PARTS; i++)
		assert_int_equal(left[i], 0);
	assert_int_equal(sum, sum_ns);
}

/* Of those that are open then, by the order of their opening. */
static const struct gt__span *first_open(const struct gt__collect *c,
                                         const struct gt_site_view *site,
                                         uint64_t time_ns)
{
	const struct gt__span *first = NULL;
	uint32_t i;

	for (i = 0; i < c->span_count; i++) {
		const struct gt__span *s = &c->spans[i];

		if (s->view.site == site && is_open(s, time_ns) &&
		    !(s->view.flags &
		      (GT_SPAN_CLOSE_LOST | GT_SPAN_REPLACED)) &&
		    (!first || s->view.start_ns < first->view.start_ns))
			first = s;
	}
	return first;
}

/* Each nanosecond in which one was open counts once. */
static uint64_t want_name(const struct gt__collect *c, const struct model *m,
                          const struct gt_site_view *site, uint64_t *total)
{
	uint64_t x, sum = 0;

	for (x = 0; x < END_NS; x++) {
		const struct gt__span *s = first_open(c, site, START_NS + x);

		if (s)
			total[m->part[s->view.vcpu][x]]++;
		sum += s != NULL;
	}
	return sum;
}

/* Of those that are whole, by counting how many are as short. */
static uint64_t rank_of(const struct gt__collect *c,
                        const struct gt_site_view *site, unsigned percent,
                        uint64_t *ret_whole)
{
	uint64_t ns, count = 0, whole = 0;
	uint32_t i;

	for (i = 0; i < c->span_count; i++)
		whole += c->spans[i].view.site == site &&
		         !(c->spans[i].view.flags &
		           ~(unsigned)(GT_SPAN_CUT | GT_SPAN_ADJUSTED));
	*ret_whole = whole;
	for (ns = 0; whole; ns++) {
		for (i = 0; i < c->span_count; i++)
			count += c->spans[i].view.site == site &&
			         !(c->spans[i].view.flags &
			           ~(unsigned)(GT_SPAN_CUT |
			                       GT_SPAN_ADJUSTED)) &&
			         c->spans[i].view.end_ns -
			                         c->spans[i].view.start_ns ==
			                 ns;
		if (count * 100 >= whole * percent)
			return ns;
	}
	return 0;
}

static void expect_name(const struct gt__collect *c, const struct model *m,
                        const struct gt__name *n, const uint64_t *self)
{
	const struct gt_site_view *site =
		&sites[n->name.bytes == sites[1].name.bytes];
	uint64_t total[GT__PARTS] = {0}, whole;

	assert_int_equal(n->total_ns, want_name(c, m, site, total));
	expect_row(&c->timeline, n->split, total, n->total_ns);
	expect_row(&c->timeline, n->split + c->timeline.columns, self,
	           n->self_ns);
	assert_int_equal(n->p50_ns, rank_of(c, site, 50, &whole));
	assert_int_equal(n->p99_ns, rank_of(c, site, 99, &whole));
	assert_int_equal(n->max_ns, rank_of(c, site, 100, &whole));
	assert_int_equal(n->count - n->unfinished, whole);
}

static void expect_splits(const struct gt__collect *c, const struct model *m)
{
	const struct gt__timeline *t = &c->timeline;
	uint64_t selves[2][GT__PARTS] = {0};
	uint32_t i, j;

	for (i = 0; i < c->span_count; i++) {
		const struct gt__span *s = &c->spans[i];
		uint64_t total[GT__PARTS] = {0}, self[GT__PARTS] = {0};
		size_t site = (size_t)(s->view.site - sites);

		want_split(c, m, i, total, self);
		expect_row(t, s->split, total,
		           s->view.end_ns - s->view.start_ns);
		expect_row(t, s->split + t->columns, self, s->self_ns);
		for (j = 0; j < GT__PARTS; j++)
			if (!(s->view.flags &
			      (GT_SPAN_CLOSE_LOST | GT_SPAN_REPLACED)))
				selves[site][j] += self[j];
	}
	for (i = 0; i < c->name_count; i++)
		expect_name(
			c, m, &c->names[i],
			selves[c->names[i].name.bytes == sites[1].name.bytes]);
}

/* Of the whole run and of a part of it; nobody asks about vCPU 2. */
static void expect_run(struct gt__collect *c, const struct model *m,
                       uint64_t from, uint64_t to)
{
	uint64_t row[GT__PARTS] = {0}, want[GT__PARTS] = {0}, x;
	uint32_t vcpu;

	for (vcpu = 0; vcpu < VCPUS; vcpu++)
		for (x = from; x < to; x++)
			want[m->part[vcpu][x]]++;
	gt__timeline_sum(&c->timeline, VCPUS, START_NS + from, START_NS + to,
	                 row);
	expect_row(&c->timeline, row, want, VCPUS * (to - from));
}

static void every_split_is_what_each_nanosecond_says(void **state)
{
	unsigned run;

	(void)state;
	for (run = 0; run < RUNS; run++) {
		struct gt__collect *c = calloc(1, sizeof *c);
		struct model m;

		assert_non_null(c);
		srand(run);
		add_stretches(c, &m);
		add_spans(c, 1 + below(SPANS));
		assert_int_equal(gt__collect_build(c), 0);
		expect_splits(c, &m);
		expect_run(c, &m, 0, END_NS);
		expect_run(c, &m, run % END_NS, END_NS);
		gt__collect_free(c);
	}
}

static struct gt__host_span guest_stretch(uint64_t start_ns, uint64_t end_ns,
                                          uint64_t waiting_ns)
{
	return (struct gt__host_span){
		.start_ns = start_ns,
		.end_ns = end_ns,
		.waiting_ns = waiting_ns,
		.kind = GT_HOST_GUEST,
	};
}

static uint64_t part_ns(struct gt__timeline *t, uint64_t from_ns,
                        uint64_t to_ns, enum gt__part part)
{
	uint64_t row[GT__PARTS] = {0};

	gt__timeline_add(t, 0, from_ns, to_ns, row);
	return row[part];
}

static void a_stretch_of_a_century_does_not_overflow(void **state)
{
	struct gt__host_span s =
		guest_stretch(5, UINT64_MAX - 5, UINT64_MAX / 2);
	struct gt__timeline t;

	(void)state;
	assert_true(gt__timeline_build(&t, &s, 1));
	assert_int_equal(part_ns(&t, 0, UINT64_MAX, GT__PART_WAITING),
	                 UINT64_MAX / 2);
	assert_int_equal(part_ns(&t, 0, UINT64_MAX, GT__PART_GUEST),
	                 UINT64_MAX - 10 - UINT64_MAX / 2);
	assert_int_equal(part_ns(&t, 0, UINT64_MAX, GT__PART_UNKNOWN), 10);
	gt__timeline_fini(&t);
}

static void stretches_that_overlap_count_once(void **state)
{
	struct gt__host_span s[] = {
		guest_stretch(10, 30, 100), /* waits longer than it is */
		guest_stretch(20, 40, 0),
		guest_stretch(25, 35, 0), /* within those before */
		guest_stretch(50, 45, 3), /* ends before it begins */
	};
	struct gt__timeline t;

	(void)state;
	assert_true(gt__timeline_build(&t, s, 4));
	assert_int_equal(part_ns(&t, 0, 60, GT__PART_WAITING), 20);
	assert_int_equal(part_ns(&t, 0, 60, GT__PART_GUEST), 10);
	assert_int_equal(part_ns(&t, 0, 60, GT__PART_UNKNOWN), 30);
	gt__timeline_fini(&t);
}

static void the_hosts_own_work_is_part_of_its_exit(void **state)
{
	struct gt__host_span s[] = {guest_stretch(0, 10, 0),
	                            guest_stretch(2, 6, 4)};
	struct gt__timeline t;

	(void)state;
	s[0].kind = GT_HOST_EXIT;
	s[0].reason = GT_EXIT_IO;
	s[1].kind = GT_HOST_WORK;
	assert_true(gt__timeline_build(&t, s, 2));
	assert_int_equal(t.columns, 4);
	assert_int_equal(t.parts[3], (int)GT__PART_EXIT + (int)GT_EXIT_IO);
	assert_int_equal(part_ns(&t, 0, 10, GT__PART_WAITING), 0);
	gt__timeline_fini(&t);
}

static void without_stretches_all_is_unknown(void **state)
{
	struct gt__timeline t;

	(void)state;
	assert_true(gt__timeline_build(&t, NULL, 0));
	assert_int_equal(part_ns(&t, 7, 19, GT__PART_UNKNOWN), 12);
	gt__timeline_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_split_is_what_each_nanosecond_says),
		cmocka_unit_test(a_stretch_of_a_century_does_not_overflow),
		cmocka_unit_test(stretches_that_overlap_count_once),
		cmocka_unit_test(the_hosts_own_work_is_part_of_its_exit),
		cmocka_unit_test(without_stretches_all_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
