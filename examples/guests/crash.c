/* SPDX-License-Identifier: MIT */
/*
 * Dies in the middle of its work, so that one can see where it was.
 *
 *   crash.elf [SETTING]...
 *
 * A setting is "NAME VALUE". One of those built in is misspelt, nobody has such
 * a setting, and the write to it goes to address 0. The host must show the
 * three spans that were open then, and every event before.
 */
#define GT_TARGET "crash"

#include <guesttrace/guest.h>

#include "../runtime/runtime.h"
#include "trace.h"

struct setting {
	volatile uint64_t value; /* or a compiler deletes the fatal write */
	const char *name;
};

static struct setting settings[] = {
	{.name = "workers"},
	{.name = "backlog"},
	{.name = "timeout"},
};

static const char *const defaults[] = {
	"workers 4",
	"backlog 128",
	"time_out 30",
	"workers 8",
};

static size_t name_length(const char *line)
{
	size_t length = 0;

	while (line[length] && line[length] != ' ')
		length++;
	return length;
}

static struct setting *find(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (strlen(settings[i].name) == length &&
		    !strncmp(settings[i].name, name, length))
			return &settings[i];
	GT_EVENT(GT_WARN, "not_found", gt_strn("name", name, length));
	return NULL;
}

/* The mistake: what find() returns is used as it comes. */
static void apply(const char *line)
{
	size_t length = name_length(line);
	struct setting *setting;
	GT_SPAN(span, GT_INFO, "apply", gt_str("line", line));

	setting = find(line, length);
	GT_EVENT(GT_DEBUG, "write", gt_ptr("to", setting));
	setting->value =
		line[length] ? runtime_parse_u64(line + length + 1) : 0;
	GT_RECORD(span, gt_u64("value", setting->value), gt_ok());
}

static void load_settings(int argc, char **argv)
{
	GT_SPAN(span, GT_INFO, "load_settings");

	for (int i = 1; i < argc; i++)
		apply(argv[i]);
	if (argc > 1)
		return;
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		apply(defaults[i]);
}

static void start(int argc, char **argv)
{
	GT_SPAN(span, GT_INFO, "start");

	load_settings(argc, argv);
	GT_EVENT(GT_INFO, "started", gt_u64("workers", settings[0].value));
}

int guest_main(int argc, char **argv)
{
	trace_start();
	start(argc, argv);
	trace_stop();
	runtime_print("crash: every setting was known\n");
	return 0;
}
