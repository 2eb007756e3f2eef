/* SPDX-License-Identifier: MIT */
/*
 * Folded stacks for flame graphs: one line per distinct stack of names, with
 * the time in ns that its innermost span had no child. The outermost frame is
 * the run, so that those of one file can be told apart. Collects (collect.h): a
 * span's stack and self time are known only when all of its relatives are.
 *
 * By exits, the time is that of the exits for which a span was the innermost
 * one; what happened outside of all spans is under one frame of its own.
 *
 * Of a span whose end nobody saw it is not known how long it was open: its own
 * time is under a frame below it that says so.
 *
 * If records were lost, the frame of the run says how many: all below it is
 * partial. How the run ended is a frame below it that has taken no time.
 *
 * What is deeper than FRAMES_MAX spans is summed up under one frame that says
 * so: a guest cannot make the output grow with the square of its depth.
 */
#include "export/run/collect.h"
#include "export/out/escape.h"
#include "export/out/losses.h"
#include "export/out/words.h"
#include <errno.h>
#include <string.h>

#define FRAMES_MAX                                                  \
	128u   /* of spans; the run is one more, what is deeper too \
	        */
#define RUN 0u /* the frame of the run */

struct frame {
	uint64_t self_ns;
	struct gt_text name;
	uint32_t parent; /* frame; of the run GT__ROOT */
	uint32_t depth;  /* of the run 0 */
	uint32_t next;   /* in its hash chain */
};

struct frames {
	struct frame *frames;
	uint32_t *chains;
	uint32_t mask;
	uint32_t count;
	struct gt__hash_key key;
};

static const struct gt_text deeper = {"(deeper than 128 spans)", 23};
static const struct gt_text outside = {"(no span)", 9};
static const struct gt_text endless = {"(end not known)", 15};

static uint32_t find_frame(struct frames *f, uint32_t parent,
                           struct gt_text name)
{
	uint64_t hash = gt__hash_bytes(&f->key, parent, name.bytes, name.count);
	uint32_t *chain = &f->chains[hash & f->mask];
	uint32_t i;

	for (i = *chain; i != GT__ROOT; i = f->frames[i].next)
		if (f->frames[i].parent == parent &&
		    gt__same_text(f->frames[i].name, name))
			return i;
	i = f->count++;
	f->frames[i] = (struct frame){
		.name = name,
		.parent = parent,
		.depth = parent == GT__ROOT ? 0 : f->frames[parent].depth + 1,
		.next = *chain,
	};
	*chain = i;
	return i;
}

/* The frame of a span, whose parent's frame is known. */
static uint32_t frame_of(struct frames *f, const struct gt__span *span,
                         const uint32_t *frame_of_span)
{
	uint32_t parent = RUN;

	if (span->parent != GT__ROOT)
		parent = frame_of_span[span->parent];
	if (f->frames[parent].depth < FRAMES_MAX)
		return find_frame(f, parent, span->view.site->name);
	if (f->frames[parent].depth > FRAMES_MAX)
		return parent;
	return find_frame(f, parent, deeper);
}

static void count_self(struct frames *f, const struct gt__span *span,
                       uint32_t frame)
{
	if (span->self_ns && span->view.flags & GT__END_UNKNOWN &&
	    f->frames[frame].depth <= FRAMES_MAX)
		frame = find_frame(f, frame, endless);
	f->frames[frame].self_ns += span->self_ns;
}

static void put_run(struct gt__out *o, const struct gt_trace *trace,
                    const struct gt_summary *summary)
{
	gt__put_folded(o, trace->guest_name);
	if (trace->index) {
		gt__put(o, " (run ");
		gt__put_u64(o, trace->index + UINT64_C(1));
		gt__put_char(o, ')');
	}
	if (!gt__is_partial(&summary->losses))
		return;
	gt__put(o, " (");
	gt__put_lost(o, summary);
	gt__put_char(o, ')');
}

static void put_ending(struct gt__out *o, const struct gt_trace *trace,
                       const struct gt_summary *summary)
{
	put_run(o, trace, summary);
	gt__put(o, ";(");
	gt__put_ending(o, summary);
	if (summary->message.count) {
		gt__put(o, ": ");
		gt__put_folded(o, summary->message);
	}
	gt__put(o, ") 0\n");
	gt__out_record(o);
}

static void put_stack(struct gt__out *o, const struct gt_trace *trace,
                      const struct gt_summary *summary, const struct frames *f,
                      uint32_t i)
{
	uint32_t stack[FRAMES_MAX + 1], n = 0;
	uint64_t self_ns = f->frames[i].self_ns;

	for (; i != RUN && n <= FRAMES_MAX; i = f->frames[i].parent)
		stack[n++] = i;
	put_run(o, trace, summary);
	while (n) {
		gt__put_char(o, ';');
		gt__put_folded(o, f->frames[stack[--n]].name);
	}
	gt__put_char(o, ' ');
	gt__put_u64(o, self_ns);
	gt__put_char(o, '\n');
	gt__out_record(o);
}

/* The time of exits instead of that of spans. */
static void count_exits(struct frames *f, const struct gt__collect *c,
                        const uint32_t *frame_of_span)
{
	uint32_t i, frame;

	for (i = 0; i < c->host_span_count; i++) {
		const struct gt__host_span *h = &c->host_spans[i];

		if (h->kind != GT_HOST_EXIT)
			continue;
		frame = h->parent == GT__ROOT ? find_frame(f, RUN, outside)
		                              : frame_of_span[h->parent];
		f->frames[frame].self_ns += h->end_ns - h->start_ns;
	}
}

static bool make_frames(struct frames *f, struct gt__collect *c, bool exits)
{
	uint32_t *frame_of_span =
		malloc((c->span_count + (size_t)1) * sizeof *frame_of_span);
	const struct gt__item *item;
	struct gt__walk walk = {0};
	size_t chains = 64;

	while (chains < c->span_count)
		chains *= 2;
	f->mask = (uint32_t)(chains - 1);
	f->key = gt__hash_key();
	/* Of each span its own and that of a time not known. */
	f->frames = malloc((c->span_count * (size_t)2 + 3) * sizeof *f->frames);
	f->chains = malloc(chains * sizeof *f->chains);
	if (!frame_of_span || !f->frames || !f->chains) {
		free(frame_of_span);
		return false;
	}
	memset(f->chains, 0xff, chains * sizeof *f->chains);
	find_frame(f, GT__ROOT, c->head.trace->guest_name);
	while ((item = gt__collect_next(c, &walk))) {
		const struct gt__span *span = &c->spans[item->index];
		uint32_t frame;

		if (item->kind != GT__SPAN_ITEM)
			continue;
		frame = frame_of(f, span, frame_of_span);
		frame_of_span[item->index] = frame;
		if (!exits)
			count_self(f, span, frame);
	}
	if (exits)
		count_exits(f, c, frame_of_span);
	free(frame_of_span);
	return true;
}

static void print_stacks(struct gt__collect_sink *x, struct gt__collect *c,
                         const struct gt_summary *summary, bool exits)
{
	struct frames f = {0};
	uint32_t i;

	if (!make_frames(&f, c, exits) && !x->head.out.error)
		x->head.out.error = -ENOMEM;
	if (!x->head.out.error)
		put_ending(&x->head.out, c->head.trace, summary);
	for (i = 0; i < f.count && !x->head.out.error; i++)
		if (f.frames[i].self_ns)
			put_stack(&x->head.out, c->head.trace, summary, &f, i);
	free(f.frames);
	free(f.chains);
}

static void print(struct gt__collect_sink *x, struct gt__collect *c,
                  const struct gt_summary *summary)
{
	print_stacks(x, c, summary, false);
}

static void print_exits(struct gt__collect_sink *x, struct gt__collect *c,
                        const struct gt_summary *summary)
{
	print_stacks(x, c, summary, true);
}

int gt_folded_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return gt__collect_sink_new(output, print, NULL, ret_sink);
}

int gt_folded_exits_new(const struct gt_output *output,
                        struct gt_sink **ret_sink)
{
	return gt__collect_sink_new(output, print_exits, NULL, ret_sink);
}
