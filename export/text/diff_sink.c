/* SPDX-License-Identifier: MIT */
#include "diff.h"
#include "export/out/words.h"
#include "export/run/matcher.h"
#include <errno.h>

const struct gt__name *gt__changed_name(const struct gt__change *change)
{
	return change->after ? &change->after->name : &change->before->name;
}

const char *gt__verdict_word(enum gt__verdict verdict)
{
	switch (verdict) {
	case GT__NOISE:
		return "noise";
	case GT__SLOWER:
		return "slower";
	case GT__FASTER:
		return "faster";
	case GT__NOT_TESTED:
		break;
	}
	return "-";
}

static uint32_t traces_before(const struct gt__collect_sink *x)
{
	return x->analysis.before ? x->analysis.before : 1;
}

bool gt__is_before(const struct gt__collect_sink *x)
{
	return x->printed < traces_before(x);
}

bool gt__is_of_diff(const struct gt__collect_sink *x)
{
	return x->analysis.before || x->printed < 2;
}

void gt__diff_keep(struct gt__collect_sink *x, const struct gt__collect *c,
                   const struct gt_summary *summary)
{
	struct gt__diff *diff = x->kept;

	if (!diff)
		diff = x->kept = calloc(1, sizeof *diff);
	if (diff)
		diff->partial |= gt__is_partial(&summary->losses);
	if (!diff ||
	    !gt__side_add(gt__is_before(x) ? &diff->before : &diff->after, c))
		x->head.out.error =
			x->head.out.error ? x->head.out.error : -ENOMEM;
}

struct gt__change *gt__diff_changes(struct gt__collect_sink *x,
                                    uint32_t *ret_count)
{
	struct gt__diff *diff = x->kept;
	struct gt__change *changes;

	*ret_count = 0;
	if (x->printed <= traces_before(x) || !diff || x->head.out.error)
		return NULL;
	gt__side_close(&diff->before, x->analysis.sort);
	gt__side_close(&diff->after, x->analysis.sort);
	changes = gt__find_changes(&diff->before, &diff->after, !x->no_self,
	                           ret_count);
	if (!changes)
		x->head.out.error = -ENOMEM;
	return changes;
}

bool gt__change_fails(struct gt__collect_sink *x,
                      const struct gt__fail_if *bound,
                      const struct gt__change *change)
{
	if (!gt__name_matches(x->options.name,
	                      gt__changed_name(change)->name) ||
	    !gt__fails(bound, change))
		return false;
	if (x->analysis.failures)
		++*x->analysis.failures;
	return true;
}

static void free_diff(void *kept)
{
	struct gt__diff *diff = kept;

	if (!diff)
		return;
	gt__side_fini(&diff->before);
	gt__side_fini(&diff->after);
	free(diff);
}

/* Whether anything is said of self times. */
static bool asks_for_self(const struct gt_analysis *analysis)
{
	return analysis->sort == GT_SORT_SELF || analysis->fail_if;
}

int gt__diff_new(const struct gt_output *output,
                 const struct gt_report_options *options, bool all,
                 gt__print_fn *print,
                 void (*conclude)(struct gt__collect_sink *x),
                 struct gt_sink **ret_sink)
{
	struct gt__collect_sink *x;
	int rc = gt__collect_sink_with(output, options, print, conclude,
	                               ret_sink);

	if (rc)
		return rc;
	x = (struct gt__collect_sink *)*ret_sink;
	x->free_kept = free_diff;
	x->spans_only = x->no_items = true;
	x->no_self = !all && !asks_for_self(&x->analysis);
	/* Nor are they made then. */
	x->head.sink.event = x->head.sink.counter = NULL;
	return 0;
}
