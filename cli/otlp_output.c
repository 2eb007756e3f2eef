/* SPDX-License-Identifier: MIT */
#include "otlp_output.h"
#include "command.h"
#include "otlp_settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A certificate or a key that was named and cannot be read. */
static bool complain_of_file(const char *path)
{
	if (!path || access(path, R_OK) == 0)
		return false;
	complain("OTLP: %s: %s", path, strerror(errno));
	return true;
}

static void complain_of_opening(const struct gt_otlp_http_options *options,
                                int r)
{
	switch (r) {
	case -EINVAL:
		if (!complain_of_file(options->ca_file) &&
		    !complain_of_file(options->certificate_file) &&
		    !complain_of_file(options->key_file))
			complain("OTLP to '%s': the URL is not usable",
			         options->url);
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

/* At once: a run may go on for days. On a thread of the sink's. */
static void complain_of_refusal(void *unused, const char *why)
{
	(void)unused;
	complain("OTLP: the endpoint refuses spans (%s)", why);
}

int otlp_output_open(const char *url, const struct otlp_options *options,
                     struct gt_sink **ret_sink)
{
	struct otlp_settings settings;
	int r = otlp_settings_read(&settings, url);

	if (r < 0)
		return r;
	if (settings.disabled) {
		otlp_settings_free(&settings);
		return 0;
	}
	if (options->spool)
		settings.options.spool_directory = options->spool;
	settings.options.wait_for_room = options->offline;
	settings.options.no_host_spans =
		!options->asked_for_host_spans || options->no_host_spans;
	settings.options.refused = complain_of_refusal;
	r = gt_otlp_http_new(&settings.options, ret_sink);
	if (r < 0)
		complain_of_opening(&settings.options, r);
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

static void complain_of_rest(const char *line,
                             const struct gt_otlp_stats *stats)
{
	if (*line)
		complain("OTLP: %s%s%s%s", line,
		         stats->last_error[0] ? " (" : "", stats->last_error,
		         stats->last_error[0] ? ")" : "");
}

static void add_damage(char *line, size_t size,
                       const struct gt_otlp_stats *stats)
{
	add(line, size, stats->damaged_spans, "spans damaged");
	add(line, size, stats->damaged_bytes, "bytes damaged");
	add(line, size, stats->unreadable_files,
	    "files that cannot be read and stay");
}

/* What is damaged is removed when nothing in its file waits: said before. */
static void complain_of_damage(const struct gt_otlp_stats *stats)
{
	char line[256] = "";

	add_damage(line, sizeof(line), stats);
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
static void complain_of_backlog(const struct gt_otlp_stats *stats)
{
	char line[256] = "";

	if (stats->found_rejected + stats->found_waiting == 0)
		return;
	add(line, sizeof(line), stats->found_acknowledged, "acknowledged");
	add(line, sizeof(line), stats->found_rejected,
	    "refused by the endpoint");
	add(line, sizeof(line), stats->found_waiting, "wait");
	complain("OTLP: of spans found in the spool: %s", line);
}

int otlp_output_report(struct gt_sink *sink, const struct otlp_options *options)
{
	struct gt_otlp_stats stats;
	char line[256] = "";

	gt_otlp_http_stats(sink, &stats);
	complain_of_damage(&stats);
	complain_of_backlog(&stats);
	if (stats.last_warning[0])
		complain("OTLP: the endpoint says: %s", stats.last_warning);
	if (stats.acknowledged == stats.spans)
		return 0;
	add(line, sizeof(line), stats.spans, "spans");
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

int otlp_spool_send(const char *url, const char *directory)
{
	struct otlp_settings settings;
	struct gt_otlp_stats stats;
	char line[256] = "";
	int r = otlp_settings_read(&settings, url);

	if (r < 0)
		return COMMAND_FAILED;
	if (settings.disabled) {
		complain("OTEL_SDK_DISABLED is true: nothing is sent");
		otlp_settings_free(&settings);
		return COMMAND_FAILED;
	}
	settings.options.spool_directory = directory;
	r = gt_otlp_spool_send(&settings.options, &stats);
	if (r < 0 && r != -EAGAIN) {
		complain_of_opening(&settings.options, r);
		otlp_settings_free(&settings);
		return COMMAND_FAILED;
	}
	otlp_settings_free(&settings);
	printf("%" PRIu64 " spans acknowledged\n", stats.found_acknowledged);
	add_refused(line, sizeof(line), stats.found_rejected, &stats);
	add(line, sizeof(line), stats.found_waiting, "spans wait");
	add_damage(line, sizeof(line), &stats);
	add(line, sizeof(line), stats.found_lost,
	    "spans lost with a process that was killed");
	complain_of_rest(line, &stats);
	return r < 0 || stats.damaged_spans + stats.damaged_bytes +
	                                       stats.found_rejected >
	                               0
	               ? COMMAND_FAILED
	               : 0;
}
