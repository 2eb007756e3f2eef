/* SPDX-License-Identifier: MIT */
#include "formats.h"
#include "command.h"
#include "similar.h"

#include <stdio.h>
#include <string.h>

static const struct format formats[] = {
	{"tree", gt_tree_new},
	{"perfetto", gt_perfetto_new},
	{"chrome", gt_chrome_new},
	{"otlp-json", gt_otlp_json_new},
	{"otlp-protobuf", gt_otlp_protobuf_new},
	{"otlp-metrics-json", otlp_metrics_json_new},
	{"otlp-metrics-protobuf", otlp_metrics_protobuf_new},
	{"otlp-logs-json", otlp_logs_json_new},
	{"otlp-logs-protobuf", otlp_logs_protobuf_new},
	{"folded", gt_folded_new},
	{"csv", gt_csv_new},
	{"html", gt_html_new},
	{"sqlite", gt_sqlite_new},
	{"ctf", NULL},
	{"tables", NULL},
#ifdef HAVE_OTLP
	{"otlp", otlp_traces_new},
	{"otlp-metrics", otlp_metrics_new},
	{"otlp-logs", otlp_logs_new},
#endif
};

#ifdef HAVE_OTLP
#define OTLP_NAMES(separator) \
	separator "otlp" separator "otlp-metrics" separator "otlp-logs"
#else
#define OTLP_NAMES(separator)
#endif
/* In the order of the table. */
#define NAMES(separator)                                                       \
	"tree" separator "perfetto" separator "chrome" separator               \
	"otlp-json" separator "otlp-protobuf" separator                        \
	"otlp-metrics-json" separator "otlp-metrics-protobuf" separator        \
	"otlp-logs-json" separator "otlp-logs-protobuf" separator              \
	"folded" separator "csv" separator "html" separator "sqlite" separator \
	"ctf" separator "tables" OTLP_NAMES(separator)

const char *format_names(void)
{
	return NAMES(", ");
}

const char *format_choices(void)
{
	return NAMES("|");
}

const struct format *format_find(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strlen(formats[i].name) == length &&
		    memcmp(formats[i].name, name, length) == 0)
			return &formats[i];
	return NULL;
}

static bool is_left_out(const char *name, size_t length)
{
	static const char *const names[] = {"otlp", "otlp-metrics",
	                                    "otlp-logs"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (length == strlen(names[i]) &&
		    memcmp(name, names[i], length) == 0)
			return true;
	return false;
}

static const char *name_of(const void *unused, size_t number)
{
	(void)unused;
	return number < sizeof(formats) / sizeof(formats[0])
	               ? formats[number].name
	               : NULL;
}

static void complain_of_format(const char *text, size_t length)
{
	char name[64];
	const char *meant;

	snprintf(name, sizeof(name), "%.*s", (int)length, text);
	meant = similar(name, name_of, NULL);
	if (meant)
		complain("no format '%s'; did you mean %s? There are %s", name,
		         meant, format_names());
	else
		complain("no format '%.*s'; there are %s", (int)length, text,
		         format_names());
}

void format_unknown(const char *name, size_t length)
{
	if (is_left_out(name, length))
		complain("this guesttrace was built without the format %.*s",
		         (int)length, name);
	else
		complain_of_format(name, length);
}
