/* SPDX-License-Identifier: MIT */
#include "otlp_output.h"
#include "command.h"
#include "otlp_settings.h"
#include "otlp_tls.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void complain_of_opening(const struct gt_otlp_http_options *options,
                                int r)
{
	switch (r) {
	case -EINVAL:
		complain("OTLP to '%s': the URL is not usable", options->url);
		break;
	case -EBUSY:
		complain("spool %s: another process is sending it",
		         options->spool_directory);
		break;
	case -EPERM:
		complain("spool %s: belongs to another user, or others may "
		         "write to it",
		         options->spool_directory);
		break;
	default:
		complain("OTLP%s%s: %s",
		         options->spool_directory ? " with the spool " : "",
		         options->spool_directory ? options->spool_directory
		                                  : "",
		         code_text(r));
	}
}

/* Before a guest runs, or anything is sent. */
static int check_tls(const struct gt_otlp_http_options *options)
{
	char why[GT_OTLP_WHY_BYTES];

	if (otlp_tls_check(options) < 0)
		return -EINVAL;
	switch (gt_otlp_tls_check(options, why)) {
	case GT_OTLP_TLS_GOOD:
		return 0;
	case GT_OTLP_TLS_AUTHORITIES:
		complain("OTLP: %s: no certificates that TLS can read (%s)",
		         options->ca_file, why);
		break;
	case GT_OTLP_TLS_CLIENT:
		if (options->key_file)
			complain("OTLP: %s: not the key of %s, or TLS cannot "
			         "read one of them (%s)",
			         options->key_file, options->certificate_file,
			         why);
		else
			complain("OTLP: %s: no certificate with its key that "
			         "TLS can read (%s)",
			         options->certificate_file, why);
	}
	return -EINVAL;
}

static const char *const nouns[] = {
	[GT_OTLP_TRACES] = "spans",
	[GT_OTLP_METRICS] = "data points",
	[GT_OTLP_LOGS] = "log records",
};

/* At once: a run may go on for days. On a thread of the sink's. */
static void complain_of_refusal(void *noun, const char *why)
{
	complain("OTLP: the endpoint refuses %s (%s)", (const char *)noun, why);
}

int otlp_output_open(const char *url, enum gt_otlp_signal signal,
                     const struct otlp_options *options,
                     struct gt_sink **ret_sink)
{
	struct otlp_settings settings;
	int r = otlp_settings_read(&settings, signal, url);

	if (r < 0)
		return r;
	if (settings.disabled) {
		otlp_settings_free(&settings);
		return 0;
	}
	if (options->spool)
		settings.options.spool_directory = options->spool;
	if (options->version.key)
		otlp_settings_prefer(&settings, &options->version);
	settings.options.wait_for_room = options->offline;
	settings.options.no_host_spans =
		!options->asked_for_host_spans || options->no_host_spans;
	settings.options.sampler = options->sampler;
	settings.options.events = options->events;
	settings.options.has_logs = options->has_logs;
	settings.options.observed = options->observed;
	settings.options.observed_count = options->observed_count;
	settings.options.refused = complain_of_refusal;
	settings.options.refused_context = (void *)(uintptr_t)nouns[signal];
	r = check_tls(&settings.options);
	if (r == 0) {
		r = gt_otlp_http_new(&settings.options, ret_sink);
		if (r < 0)
			complain_of_opening(&settings.options, r);
	}
	otlp_settings_free(&settings);
	return r;
}

/* "N spans what, N spans what": those that are not 0. */
static void add(char *line, size_t size, uint64_t count, const char *what)
{
	size_t used = strlen(line);

	if (count > 0)
		snprintf(line + used, size - used, "%s%" PRIu64 " %s",
		         used > 0 ? ", " : "", count, what);
}

/* "N spans", and what of them. */
static void add_items(char *line, size_t size, uint64_t count,
                      enum gt_otlp_signal signal, const char *what)
{
	char words[64];

	snprintf(words, sizeof(words), "%s%s", nouns[signal], what);
	add(line, size, count, words);
}

static void complain_of_rest(const char *line,
                             const struct gt_otlp_stats *stats)
{
	if (*line)
		complain("OTLP: %s%s%s%s", line,
		         stats->last_error[0] ? " (" : "", stats->last_error,
		         stats->last_error[0] ? ")" : "");
}

static void add_damage(char *line, size_t size, enum gt_otlp_signal signal,
                       const struct gt_otlp_stats *stats)
{
	add_items(line, size, stats->damaged_spans, signal, " damaged");
	add(line, size, stats->damaged_bytes, "bytes damaged");
	add(line, size, stats->unreadable_files,
	    "files that cannot be read and stay");
}

/* What is damaged is removed when nothing in its file waits: said before. */
static void complain_of_damage(enum gt_otlp_signal signal,
                               const struct gt_otlp_stats *stats)
{
	char line[256] = "";

	add_damage(line, sizeof(line), signal, stats);
	if (*line)
		complain("OTLP: found in the spool: %s", line);
}

static void add_refused(char *line, size_t size, uint64_t spans,
                        const struct gt_otlp_stats *stats)
{
	add(line, size, spans, "refused by the endpoint");
	add(line, size, stats->refused_kept,
	    "of the refused in the spool's folder 'refused'");
}

/* What others left in the spool, as far as this process has met it. */
static void complain_of_backlog(enum gt_otlp_signal signal,
                                const struct gt_otlp_stats *stats)
{
	char line[256] = "";

	if (stats->found_rejected + stats->found_waiting == 0)
		return;
	add(line, sizeof(line), stats->found_acknowledged, "acknowledged");
	add(line, sizeof(line), stats->found_rejected,
	    "refused by the endpoint");
	add(line, sizeof(line), stats->found_waiting, "wait");
	complain("OTLP: of %s found in the spool: %s", nouns[signal], line);
}

int otlp_output_report(struct gt_sink *sink, enum gt_otlp_signal signal,
                       const struct otlp_options *options)
{
	struct gt_otlp_stats stats;
	char line[256] = "";

	gt_otlp_http_stats(sink, &stats);
	complain_of_damage(signal, &stats);
	complain_of_backlog(signal, &stats);
	if (stats.last_warning[0])
		complain("OTLP: the endpoint says: %s", stats.last_warning);
	if (stats.spans == 0 && stats.unsampled > 0)
		complain("OTLP: no spans are sent: none of the %" PRIu64
		         " is of a trace that is sampled",
		         stats.unsampled);
	if (stats.acknowledged == stats.spans)
		return 0;
	add_items(line, sizeof(line), stats.spans, signal, "");
	add(line, sizeof(line), stats.acknowledged, "acknowledged");
	add_refused(line, sizeof(line), stats.rejected, &stats);
	add(line, sizeof(line), stats.spooled, "in the spool");
	add(line, sizeof(line), stats.dropped, "dropped");
	complain_of_rest(line, &stats);
	return options->offline && (stats.rejected + stats.dropped > 0 ||
	                            stats.turned_away)
	               ? -EIO
	               : 0;
}

/* One signal's part; returns the exit status. */
static int send_part(const struct otlp_settings *settings,
                     enum gt_otlp_signal signal)
{
	struct gt_otlp_stats stats;
	char line[256] = "";
	int r = gt_otlp_spool_send(&settings->options, &stats);

	if (r < 0 && r != -EAGAIN) {
		complain_of_opening(&settings->options, r);
		return COMMAND_FAILED;
	}
	printf("%" PRIu64 " %s acknowledged\n", stats.found_acknowledged,
	       nouns[signal]);
	add_refused(line, sizeof(line), stats.found_rejected, &stats);
	add_items(line, sizeof(line), stats.found_waiting, signal, " wait");
	add_damage(line, sizeof(line), signal, &stats);
	add_items(line, sizeof(line), stats.found_lost, signal,
	          " lost with a process that was killed");
	complain_of_rest(line, &stats);
	return r < 0 || stats.damaged_spans + stats.damaged_bytes +
	                                       stats.found_rejected >
	                               0
	               ? COMMAND_FAILED
	               : 0;
}

/* Metrics and logs are there only if some were ever sent. */
static bool has_part(const char *directory, enum gt_otlp_signal signal)
{
	char *path = NULL;
	bool has;

	if (signal == GT_OTLP_TRACES)
		return true;
	if (asprintf(&path, "%s/%s", directory,
	             signal == GT_OTLP_METRICS ? "metrics" : "logs") < 0)
		return true;
	has = access(path, F_OK) == 0;
	free(path);
	return has;
}

static int send_signal(const char *url, const char *directory,
                       enum gt_otlp_signal signal)
{
	struct otlp_settings settings;
	int status = COMMAND_FAILED;

	if (!has_part(directory, signal))
		return 0;
	if (signal != GT_OTLP_TRACES && url && *url && !otlp_is_base(url)) {
		complain("OTLP: %s wait: '%s' is for spans", nouns[signal],
		         url);
		return COMMAND_FAILED;
	}
	if (otlp_settings_read(&settings, signal, url) < 0)
		return COMMAND_FAILED;
	settings.options.spool_directory = directory;
	if (settings.disabled)
		complain("OTEL_SDK_DISABLED is true: nothing is sent");
	else if (check_tls(&settings.options) == 0)
		status = send_part(&settings, signal);
	otlp_settings_free(&settings);
	return status;
}

int otlp_spool_send(const char *url, const char *directory)
{
	static const enum gt_otlp_signal signals[] = {
		GT_OTLP_TRACES, GT_OTLP_LOGS, GT_OTLP_METRICS};
	int status = 0;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (send_signal(url, directory, signals[i]))
			status = COMMAND_FAILED;
	return status;
}
