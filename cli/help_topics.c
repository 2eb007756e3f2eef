/* SPDX-License-Identifier: MIT */
/* What several subcommands share, in a few lines; more is in the man pages. */
#include "help_topics.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	const char *text;
} topics[] = {
	{"environment",
         "COLUMNS          how wide texts are; else as wide as the terminal\n"
         "LC_ALL, LANG     C or POSIX: text in ASCII\n"
         "GUESTTRACE_PAGER, PAGER  what shows report and diff on a terminal,\n"
         "                 default less; empty or cat: nothing does\n"
         "NO_COLOR         not empty: no colours\n"
         "CLICOLOR_FORCE   neither empty nor 0: colours, also into a pipe\n"
         "TERM             dumb: no colours\n"
         "TRACEPARENT      W3C trace context above a run\n"
         "TRACESTATE       what goes with it\n"
#ifdef HAVE_OTLP
         "OTEL_*           where and how OTLP is sent: otlp.md\n"
         "GUESTTRACE_SPOOL where what cannot be sent waits\n"
         "\nDocuments are in share/doc/guesttrace, or docs in the source.\n"
#endif
        },
	{"filter",
         "Which call sites record: directives with commas between them.\n\n"
         "  LEVEL          off, error, warn (or warning), info, debug, trace\n"
         "                 or 0..5, for all targets\n"
         "  TARGET=LEVEL   for a target, and all whose name goes on with one\n"
         "                 of . : / behind it\n"
         "  TARGET         the same as TARGET=trace\n\n"
         "The longest match holds; what nothing matches is off. Blanks around\n"
         "words and empty directives mean nothing; none at all is trace.\n"
         "On the wires of Hyperlight LEVEL is off or trace: they tell no "
         "others.\n"
         "For example: info,net=debug,net.dns=off\n"},
	{"formats",
         "tree            text: spans and events, indented\n"
         "perfetto        Perfetto's protobuf trace: ui.perfetto.dev\n"
         "chrome          Chrome's JSON trace events\n"
#ifdef HAVE_OTLP
         "otlp            OTLP over HTTP or gRPC: DEST is the endpoint\n"
         "otlp-metrics    counters, durations, the run as metrics, likewise\n"
         "otlp-logs       events as log records, likewise\n"
#endif
         "otlp-json       OTLP/JSON, one object per line\n"
         "otlp-protobuf   OTLP/protobuf: an ExportTraceServiceRequest\n"
         "otlp-metrics-json  OTLP/JSON of metrics, one object per line\n"
         "otlp-metrics-protobuf  an ExportMetricsServiceRequest\n"
         "otlp-logs-json  OTLP/JSON of log records, one object per line\n"
         "otlp-logs-protobuf  an ExportLogsServiceRequest\n"
         "folded          stacks with self time, for flame graphs\n"
         "csv             one line per span, loss and run\n"
         "html            a page with a timeline, for a browser\n"
         "sqlite          a database for SQL\n"
         "ctf             a directory: Common Trace Format 1.8\n"
         "tables          a directory: the same tables as CSV, for a fleet\n"},
	{"status",
         "run      the guest's own up to 119, above that 119; 124 timeout;\n"
         "         125 guesttrace itself failed; 126 the guest died;\n"
         "         130 interrupted\n"
         "others   0; 1 failure; 2 wrong use; 3 salvage: some is missing;\n"
         "         diff: a change is beyond --fail-if\n"},
};

const char *help_topic(const char *name)
{
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
		if (strcmp(topics[i].name, name) == 0)
			return topics[i].text;
	return NULL;
}

const char *help_topics(void)
{
	return "environment, filter, formats, status";
}
