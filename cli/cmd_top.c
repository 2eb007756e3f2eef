/* SPDX-License-Identifier: MIT */
/* guesttrace top: what the guest of a capture that grows does now. */
#include "confinement.h"
#include "keyboard.h"
#include "monotonic.h"
#include "options.h"
#include "screen.h"
#include "tail.h"

#include <guesttrace/analysis.h>

#include <getopt.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_NS UINT64_C(1000000000)

enum {
	OPTION_ONCE = 256,
	OPTION_INTERVAL,
	OPTION_NAME,
	OPTION_COLOR,
};

static const struct option_spec options[] = {
	{OPTION_ONCE, "once", NULL, "what there is now, once", NULL},
	{OPTION_INTERVAL, "interval", "DURATION",
         "between pictures, default 1s", NULL},
	{OPTION_NAME, "name", "GLOB", "only names that it finds", NULL},
	READS_IN_SANDBOX,
	{OPTION_COLOR, "color", "auto|always|never", "default auto", NULL},
	{0},
};

/* One: what makes a sink has no context. */
static struct top {
	struct gt_report_options look;
	enum screen_colours colours;
	struct tail_watch watch;
	struct gt_sink *sink;
	struct gt_output to;
	uint64_t interval_ns, drawn_ns; /* of CLOCK_MONOTONIC */
	unsigned rows, columns;         /* of the terminal; 0: it is none */
	unsigned pictures;
} top;

static uint64_t utc_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void look_at_terminal(unsigned *ret_rows, unsigned *ret_columns)
{
	struct winsize size;

	*ret_rows = 0;
	*ret_columns = top.look.columns;
	if (top.watch.once || !isatty(STDOUT_FILENO) ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row < 2)
		return;
	*ret_rows = size.ws_row - 1u; /* the cursor's line is below */
	if (size.ws_col)
		*ret_columns = size.ws_col;
}

static int put(const char *text)
{
	return top.to.write(top.to.context, text, strlen(text));
}

/* Each line over what was there, and nothing of that is left. */
static int put_over(const char *bytes, size_t count)
{
	const char *end;
	int r = put(top.pictures ? "\033[H" : "\033[2J\033[H");

	while (r == 0 && count && (end = memchr(bytes, '\n', count))) {
		size_t line = (size_t)(end - bytes);

		r = top.to.write(top.to.context, bytes, line);
		if (r == 0)
			r = put("\033[K\n");
		bytes = end + 1;
		count -= line + 1;
	}
	return r < 0 ? r : put("\033[J");
}

/* A picture comes in one piece. */
static int write_picture(void *context, const void *bytes, size_t count)
{
	int r = 0;

	(void)context;
	if (top.rows)
		r = put_over(bytes, count);
	else if (top.pictures)
		r = put("\n");
	if (r == 0 && !top.rows)
		r = top.to.write(top.to.context, bytes, count);
	top.pictures++;
	return r;
}

static int new_top(const struct gt_output *output,
                   const struct gt_report_options *look,
                   struct gt_sink **ret_sink)
{
	const struct gt_output pictures = {write_picture, &top};
	int r;

	top.to = *output;
	r = gt_top_new(&pictures, look, ret_sink);
	if (r == 0)
		top.sink = *ret_sink;
	return r;
}

static void look(void *context, bool live)
{
	uint64_t now_ns = monotonic_ns();
	unsigned rows, columns;
	char key = keyboard_key();

	(void)context;
	if (key == 'q' || key == 'Q')
		tail_stop();
	look_at_terminal(&rows, &columns);
	if (top.watch.once || (now_ns - top.drawn_ns < top.interval_ns &&
	                       rows == top.rows && columns == top.columns))
		return;
	top.rows = rows;
	top.columns = columns;
	top.drawn_ns = now_ns;
	gt_top_draw(top.sink, live ? utc_ns() : 0, rows, columns);
}

static bool take_option(int id)
{
	switch (id) {
	case OPTION_ONCE:
		return top.watch.once = true;
	case OPTION_INTERVAL:
		return parse_duration("interval", optarg, &top.interval_ns);
	case OPTION_NAME:
		top.look.name = optarg;
		return true;
	default:
		return screen_parse(optarg, &top.colours);
	}
}

static int cmd_top(int argc, char **argv)
{
	static struct outputs outputs;
	int id, status;

	top.look.size = sizeof(top.look);
	top.interval_ns = INTERVAL_NS;
	while ((id = options_next(&command_top, argc, argv)) != -1) {
		if (id == OPTION_WRONG || id == OPTION_HELP)
			return options_stop(&command_top, id);
		if (!take_option(id))
			return COMMAND_USAGE;
	}
	if (!options_operands(&command_top, argc, argv, 1, 1))
		return COMMAND_USAGE;
	screen_look(top.colours, &top.look);
	look_at_terminal(&top.rows, &top.columns);
	top.watch.look = look;
	top.drawn_ns = monotonic_ns();
	outputs_add_text(&outputs, "top", new_top, &top.look);
	if (top.rows)
		keyboard_begin();
	status = confinement_of_reading(&(struct reading){
			 .paths = argv + optind,
			 .count = 1,
			 .outputs = &outputs}) < 0
	                 ? COMMAND_FAILED
	                 : tail(&outputs, argv[optind], &top.watch);
	keyboard_end();
	return status;
}

const struct command_spec command_top = {
	.name = "top",
	.operands = "CAPTURE",
	.what = "show what a guest does now, of a capture that grows",
	.notes = "On a terminal q ends it.\n",
	.options = options,
	.run = cmd_top,
	.examples = "  guesttrace top kv.gtrace\n"
		    "  guesttrace top --once --name 'req*' kv.gtrace\n",
	.usage_status = COMMAND_USAGE,
};
