/* SPDX-License-Identifier: MIT */
/* Exporters: writing, errors, lanes, the collector. Texts: test_export_text.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "export/run/lanes.h"
#include "tests/support/synthetic.h"

/* ---- Writing ------------------------------------------------------------- */

struct limited {
	size_t left;
	size_t written;
	bool full;
	unsigned calls_when_full;
};

static int write_limited(void *context, const void *bytes, size_t count)
{
	struct limited *l = context;

	(void)bytes;
	l->calls_when_full += l->full;
	if (count > l->left) {
		l->full = true;
		return -ENOSPC;
	}
	l->left -= count;
	l->written += count;
	return 0;
}

static struct limited write_with_room_for(const struct syn_format *format,
                                          size_t bytes, int *ret_error)
{
	struct limited l = {.left = bytes};
	struct gt_output output = {write_limited, &l};
	struct syn s = {.sink_count = 1};

	assert_int_equal(format->make(&output, &s.sinks[0]), 0);
	syn_random(&s, 0, 7, 500);
	syn_everything(&s, 1);
	*ret_error = syn_finish(&s);
	/* Asked again, it still knows. */
	if (*ret_error)
		assert_int_equal(s.sinks[0]->finish(s.sinks[0]), *ret_error);
	syn_free(&s);
	return l;
}

/* Threat F7. */
static void a_full_disk_is_reported_by_finish_wherever_it_fills(void **state)
{
	size_t i, room;
	int error;

	(void)state;
	for (i = 0; i < SYN_FORMATS; i++) {
		struct limited all =
			write_with_room_for(&syn_formats[i], SIZE_MAX, &error);

		assert_int_equal(error, 0);
		assert_true(all.written > 20);
		for (room = 0; room < all.written;
		     room += 1 + all.written / 13) {
			struct limited l = write_with_room_for(&syn_formats[i],
			                                       room, &error);

			assert_int_equal(error, -ENOSPC);
			assert_int_equal(l.calls_when_full, 0);
		}
		write_with_room_for(&syn_formats[i], all.written - 1, &error);
		assert_int_equal(error, -ENOSPC);
	}
}

static void a_sink_may_be_freed_in_any_state(void **state)
{
	struct limited l = {.left = SIZE_MAX};
	struct gt_output output = {write_limited, &l};
	size_t i;

	(void)state;
	for (i = 0; i < SYN_FORMATS; i++) {
		struct syn s = {.sink_count = 1};
		static const struct gt_site_view site = {
			.name = {"x", 1},
			.level = GT_INFO,
		};

		assert_int_equal(syn_formats[i].make(&output, &s.sinks[0]), 0);
		s.sinks[0]->free(s.sinks[0]);
		assert_int_equal(syn_formats[i].make(&output, &s.sinks[0]), 0);
		syn_begin(&s, 0, "g");
		syn_open(&s, &site, NULL, 0, 5, true);
		syn_host(&s, (struct gt_host_span_view){
				     .kind = GT_HOST_EXIT,
				     .end_ns = 9,
			     });
		memset(&s.trace, 0xa5, sizeof s.trace); /* as if freed */
		syn_free(&s);
	}
}

static void several_runs_may_be_seen_at_once(void **state)
{
	static const struct gt_site_view site = {
		.name = {"x", 1},
		.level = GT_INFO,
	};
	struct limited l = {.left = SIZE_MAX};
	struct gt_output output = {write_limited, &l};
	size_t i;

	(void)state;
	for (i = 0; i < SYN_FORMATS; i++) {
		struct syn a = {.sink_count = 1}, b = {.sink_count = 1};
		struct syn_span *in_a, *in_b;

		assert_int_equal(syn_formats[i].make(&output, &a.sinks[0]), 0);
		b.sinks[0] = a.sinks[0];
		syn_begin(&a, 0, "a");
		syn_begin(&b, 1, "b");
		in_a = syn_open(&a, &site, NULL, 0, 5, true);
		in_b = syn_open(&b, &site, NULL, 0, 6, true);
		syn_close(&a, in_a, 0, 9);
		syn_end(&a, 10);
		syn_close(&b, in_b, 0, 11);
		syn_end(&b, 12);
		assert_int_equal(syn_finish(&a), 0);
		assert_int_equal(b.error, 0);
		syn_free(&a);
	}
}

/* ---- Lanes --------------------------------------------------------------- */

/* What a viewer does: per track, in the order of time, begin and end. */
struct step {
	uint64_t time_ns;
	size_t order;
	uint32_t track;
	uint64_t id; /* 0: an end */
};

struct recorded {
	struct step *steps;
	size_t count;
};

static void record(struct recorded *r, uint64_t time_ns, uint32_t track,
                   uint64_t id)
{
	if (!(r->count & (r->count - 1))) { /* doubles at powers of two */
		r->steps = realloc(r->steps,
		                   (2 * r->count + 1) * sizeof *r->steps);
		assert_non_null(r->steps);
	}
	r->steps[r->count] = (struct step){time_ns, r->count, track, id};
	r->count++;
}

static int by_track_and_time(const void *left, const void *right)
{
	const struct step *a = left, *b = right;

	if (a->track != b->track)
		return a->track < b->track ? -1 : 1;
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

#define MODEL_SPANS 4096

struct model_span {
	struct gt_span_view view;
	uint64_t shown_ns; /* sum of its stretches */
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t moved_ns; /* by how much its end came later */
	bool open;
};

static struct model_span model[MODEL_SPANS];

static void model_close(struct gt__lanes *l, struct recorded *r,
                        struct model_span *m, uint64_t end_ns)
{
	uint32_t i = gt__lanes_find(l, m->view.id), pulled;
	uint64_t at = gt__lanes_end_ns(l, i, end_ns);
	uint32_t n = gt__lanes_above(l, i, at) + 1;

	m->open = false;
	m->view.end_ns = end_ns;
	m->moved_ns = at - end_ns;
	while (n--)
		record(r, at, l->spans[i].track, 0);
	for (;;) {
		assert_int_equal(gt__lanes_pull(l, i, at, &pulled), 0);
		if (pulled == GT__NONE)
			break;
		record(r, at, l->spans[pulled].track, l->spans[pulled].id);
	}
	gt__lanes_close(l, i, at);
	assert_int_equal(gt__lanes_find(l, m->view.id), GT__NONE);
}

static void show(struct recorded *r)
{
	struct step stack[MODEL_SPANS];
	size_t i, depth = 0;

	qsort(r->steps, r->count, sizeof *r->steps, by_track_and_time);
	for (i = 0; i < r->count; i++) {
		const struct step *s = &r->steps[i];
		struct model_span *m;

		if (i && s->track != s[-1].track)
			assert_int_equal(depth, 0);
		if (s->id) {
			stack[depth++] = *s;
			continue;
		}
		assert_true(depth > 0);
		m = &model[stack[--depth].id - 1];
		m->shown_ns += s->time_ns - stack[depth].time_ns;
		if (stack[depth].time_ns < m->first_ns)
			m->first_ns = stack[depth].time_ns;
		if (s->time_ns > m->last_ns)
			m->last_ns = s->time_ns;
	}
	assert_int_equal(depth, 0);
}

/* `foreign`: spans may be closed by the other vCPU, whose time is another. */
static void random_lanes(unsigned seed, bool foreign)
{
	struct gt__lanes l = {0};
	struct recorded r = {0};
	uint64_t now[2] = {0, 0};
	size_t i, count = 0;

	srand(seed);
	memset(model, 0, sizeof model);
	while (count < MODEL_SPANS) {
		uint32_t vcpu = rand() % 3 == 0;
		struct model_span *m = NULL;
		uint32_t index;

		now[vcpu] += (uint64_t)(rand() % 4);
		for (i = 0; count && i < 4 && (!m || !m->open); i++)
			m = &model[count - 1 -
			           (size_t)rand() % (count < 20 ? count : 20)];
		if (rand() % 2 && m && m->open &&
		    (foreign || m->view.vcpu == vcpu)) {
			uint64_t end = now[vcpu];

			if (end < m->view.start_ns)
				end = m->view.start_ns;
			model_close(&l, &r, m, end);
			continue;
		}
		model[count].view = (struct gt_span_view){
			.id = count + 1,
			.parent_id =
				m && m->open && rand() % 4 ? m->view.id : 0,
			.start_ns = now[vcpu],
			.vcpu = vcpu,
			.level = rand() % 8 == 0,
			.entered = rand() % 4 != 0,
		};
		model[count].first_ns = UINT64_MAX;
		model[count].open = true;
		assert_int_equal(gt__lanes_open(&l, &model[count].view, &index),
		                 0);
		assert_int_not_equal(index, GT__NONE);
		record(&r, now[vcpu], l.spans[index].track, count + 1);
		count++;
	}
	for (i = 0; i < count; i++)
		if (model[i].open)
			model_close(&l, &r, &model[i],
			            now[0] > now[1] ? now[0] : now[1]);
	show(&r);
	for (i = 0; i < count; i++) {
		const struct model_span *m = &model[i];

		assert_int_equal(m->first_ns, m->view.start_ns);
		assert_int_equal(m->last_ns, m->view.end_ns + m->moved_ns);
		assert_int_equal(m->shown_ns, m->last_ns - m->first_ns);
		if (!foreign)
			assert_int_equal(m->moved_ns, 0);
	}
	gt__lanes_fini(&l);
	free(r.steps);
}

static void a_viewer_sees_every_span_with_its_own_times(void **state)
{
	unsigned seed;

	(void)state;
	for (seed = 1; seed <= 20; seed++)
		random_lanes(seed, false);
}

static void
a_span_closed_by_another_vcpu_ends_when_said_or_says_so(void **state)
{
	unsigned seed;

	(void)state;
	for (seed = 1; seed <= 20; seed++)
		random_lanes(seed, true);
}

static void spans_closed_from_the_bottom_are_split_once_each(void **state)
{
	struct gt__lanes l = {0};
	uint32_t i, index, pulled, split = 0;
	const uint32_t count = 20000;

	(void)state;
	for (i = 1; i <= count; i++) {
		struct gt_span_view v = {
			.id = i,
			.parent_id = i - 1,
			.start_ns = i,
			.entered = true,
		};

		assert_int_equal(gt__lanes_open(&l, &v, &index), 0);
	}
	assert_int_equal(l.track_count, 1);
	for (i = 1; i <= count; i++) {
		uint64_t at = count + i;

		index = gt__lanes_find(&l, i);
		while (!gt__lanes_pull(&l, index, at, &pulled) &&
		       pulled != GT__NONE)
			split++;
		gt__lanes_close(&l, index, at);
	}
	assert_int_equal(split, count - 1);
	gt__lanes_fini(&l);
}

static void lanes_are_used_again(void **state)
{
	struct gt__lanes l = {0};
	uint32_t i, index;

	(void)state;
	for (i = 1; i <= 1000; i++) {
		struct gt_span_view v = {.id = i, .start_ns = 2 * i};

		assert_int_equal(gt__lanes_open(&l, &v, &index), 0);
		gt__lanes_close(&l, index, 2 * i + 1);
	}
	assert_int_equal(l.track_count, 2); /* the thread's and one lane */
	assert_int_equal(l.span_count, 1);
	gt__lanes_fini(&l);
}

static void a_span_beyond_the_limit_has_no_track(void **state)
{
	struct gt__lanes l = {0};
	uint32_t i, index = 0;

	(void)state;
	for (i = 1; i <= GT__LANES_OPEN_MAX + 1; i++) {
		struct gt_span_view v = {
			.id = i,
			.parent_id = i - 1,
			.entered = true,
		};

		assert_int_equal(gt__lanes_open(&l, &v, &index), 0);
	}
	assert_int_equal(index, GT__NONE);
	assert_int_equal(l.track_count, 1);
	gt__lanes_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_full_disk_is_reported_by_finish_wherever_it_fills),
		cmocka_unit_test(a_sink_may_be_freed_in_any_state),
		cmocka_unit_test(several_runs_may_be_seen_at_once),
		cmocka_unit_test(a_viewer_sees_every_span_with_its_own_times),
		cmocka_unit_test(
			a_span_closed_by_another_vcpu_ends_when_said_or_says_so),
		cmocka_unit_test(
			spans_closed_from_the_bottom_are_split_once_each),
		cmocka_unit_test(lanes_are_used_again),
		cmocka_unit_test(a_span_beyond_the_limit_has_no_track),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
