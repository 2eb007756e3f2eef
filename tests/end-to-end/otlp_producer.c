/* SPDX-License-Identifier: MIT */
/*
 * A made-up run into the OTLP sink, for the tests of its transport, and what
 * became of it as one line of JSON.
 *
 *   otlp_producer KEY=VALUE...
 *
 * url, spans, rate (per second, 0: at once), spool, ca, cert, key,
 * header, progress (a file with two counters: spans begun and ended to be
 * handed over, right even when the process is killed), and the numbers of
 * struct gt_otlp_http_options by their names. A spool alone is sent: send=1.
 */
#include <guesttrace/export_otlp.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t spans_wanted = 1000, rate, base = 1, send_spool;
static const char *progress_path;
static const char *headers[1];
static struct gt_otlp_http_options options = {
	.size = sizeof(options),
	.headers = headers,
};

static const struct {
	const char *name;
	const char **text;
	uint32_t *number;
	uint64_t *large;
} keys[] = {
	{"url", &options.url, NULL, NULL},
	{"spool", &options.spool_directory, NULL, NULL},
	{"ca", &options.ca_file, NULL, NULL},
	{"cert", &options.certificate_file, NULL, NULL},
	{"key", &options.key_file, NULL, NULL},
	{"header", &headers[0], NULL, NULL},
	{"progress", &progress_path, NULL, NULL},
	{"timeout_ms", NULL, &options.timeout_ms, NULL},
	{"delay_ms", NULL, &options.delay_ms, NULL},
	{"batch_spans", NULL, &options.batch_spans, NULL},
	{"queue_spans", NULL, &options.queue_spans, NULL},
	{"finish_ms", NULL, &options.finish_ms, NULL},
	{"backoff_ms", NULL, &options.backoff_ms, NULL},
	{"backoff_max_ms", NULL, &options.backoff_max_ms, NULL},
	{"spool_bytes", NULL, NULL, &options.spool_bytes},
	{"spool_own_bytes", NULL, NULL, &options.spool_own_bytes},
	{"spans", NULL, NULL, &spans_wanted},
	{"rate", NULL, NULL, &rate},
	{"base", NULL, NULL, &base},
	{"send", NULL, NULL, &send_spool},
};

static bool set(const char *argument)
{
	const char *equals = strchr(argument, '=');
	size_t length = equals ? (size_t)(equals - argument) : 0;
	static uint64_t protobuf, gzip, wait, grpc;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strlen(keys[i].name) != length ||
		    strncmp(keys[i].name, argument, length) != 0)
			continue;
		if (keys[i].text)
			*keys[i].text = equals + 1;
		if (keys[i].number)
			*keys[i].number =
				(uint32_t)strtoul(equals + 1, NULL, 10);
		if (keys[i].large)
			*keys[i].large = strtoull(equals + 1, NULL, 10);
		return true;
	}
	protobuf = strcmp(argument, "protobuf") == 0 ? 1 : protobuf;
	gzip = strcmp(argument, "gzip") == 0 ? 1 : gzip;
	wait = strcmp(argument, "wait") == 0 ? 1 : wait;
	grpc = strcmp(argument, "grpc") == 0 ? 1 : grpc;
	options.protocol = grpc       ? GT_OTLP_GRPC
	                   : protobuf ? GT_OTLP_HTTP_PROTOBUF
	                              : GT_OTLP_HTTP_JSON;
	options.gzip = gzip;
	options.wait_for_room = wait;
	return strcmp(argument, "json") == 0 || protobuf || gzip || wait ||
	       grpc;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t *map_progress(void)
{
	static uint64_t own[2];
	int fd = progress_path
	                 ? open(progress_path, O_RDWR | O_CREAT | O_TRUNC, 0600)
	                 : -1;
	void *at;

	if (fd < 0 || ftruncate(fd, sizeof(own)) < 0)
		return own;
	at = mmap(NULL, sizeof(own), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return at == MAP_FAILED ? own : at;
}

static uint64_t worst_ns; /* of a call of the sink but finish */

#define NAP_US 5000

static _Atomic uint64_t stall_ns; /* by which a nap lasted longer, at most */

/* What the machine makes a thread wait that has nothing to do with the sink. */
static void *nap(void *unused)
{
	for (;;) {
		uint64_t from = now_ns(), took;

		usleep(NAP_US);
		took = now_ns() - from;
		if (took > stall_ns + NAP_US * 1000)
			stall_ns = took - NAP_US * 1000;
	}
	return unused;
}

static int close_one(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	uint64_t from = now_ns(), took;
	int r = sink->close(sink, trace, span);

	took = now_ns() - from;
	if (took > worst_ns)
		worst_ns = took;
	return r;
}

static int produce(struct gt_sink *sink, const struct gt_trace *trace)
{
	static const struct gt_site_view site = {
		.name = {"request", 7},
		.target = {"producer", 8},
		.level = GT_INFO,
	};
	volatile uint64_t *progress = map_progress();
	uint64_t start = now_ns();
	int r = 0;

	for (uint64_t i = 0; i < spans_wanted && r == 0; i++) {
		struct gt_field field = {
			.key = {"number", 6},
			.type = GT_TYPE_U64,
			.value.u64 = i,
		};
		struct gt_span_view span = {
			.id = (base << 32) + i + 1,
			.start_ns = trace->start_ns + i * 1000,
			.end_ns = trace->start_ns + i * 1000 + 500,
			.sequence = i + 1,
			.site = &site,
			.fields = &field,
			.field_count = 1,
			.entered = true,
		};

		while (rate && now_ns() - start < i * (1000000000 / rate))
			usleep(200);
		progress[0] = i + 1;
		r = close_one(sink, trace, &span);
		progress[1] = i + 1;
	}
	return r;
}

static void print_text(const char *key, const char *text)
{
	printf(",\"%s\":\"", key);
	for (; *text; text++)
		if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ')
			printf("\\u%04x", (unsigned)*text);
		else
			putchar(*text);
	putchar('"');
}

static void print(const struct gt_otlp_stats *s, int result, uint64_t ns,
                  uint64_t finish_ns)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	printf("{\"result\":%d,\"spans\":%" PRIu64 ",\"acknowledged\":%" PRIu64
	       ",\"rejected\":%" PRIu64 ",\"spooled\":%" PRIu64
	       ",\"dropped\":%" PRIu64 ",\"queued\":%" PRIu64,
	       result, s->spans, s->acknowledged, s->rejected, s->spooled,
	       s->dropped, s->queued);
	printf(",\"foundAcknowledged\":%" PRIu64 ",\"foundRejected\":%" PRIu64
	       ",\"foundWaiting\":%" PRIu64 ",\"foundLost\":%" PRIu64
	       ",\"damagedSpans\":%" PRIu64 ",\"damagedBytes\":%" PRIu64
	       ",\"unreadableFiles\":%" PRIu64,
	       s->found_acknowledged, s->found_rejected, s->found_waiting,
	       s->found_lost, s->damaged_spans, s->damaged_bytes,
	       s->unreadable_files);
	printf(",\"requests\":%" PRIu64 ",\"failures\":%" PRIu64
	       ",\"spoolErrors\":%" PRIu64 ",\"refusedKept\":%" PRIu64,
	       s->requests, s->failures, s->spool_errors, s->refused_kept);
	print_text("lastError", s->last_error);
	print_text("lastWarning", s->last_warning);
	printf(",\"stallMs\":%.3f", (double)stall_ns / 1e6);
	printf(",\"worstMs\":%.3f,\"ms\":%.3f,\"finishMs\":%.3f,\"cpuMs\":"
	       "%.3f,\"maxKiB\":%ld}\n",
	       (double)worst_ns / 1e6, (double)ns / 1e6,
	       (double)finish_ns / 1e6,
	       (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 +
	               (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) /
	                       1e3,
	       use.ru_maxrss);
}

static int run(struct gt_otlp_stats *ret_stats, uint64_t *ret_finish_ns)
{
	struct gt_trace trace = {
		.start_ns = UINT64_C(1795420800123456789),
		.vcpus = 1,
		.flags = GT_TRACE_SAMPLED,
		.guest_name = {"producer", 8},
		.vm_name = {"vm", 2},
		.backend = {"none", 4},
	};
	struct gt_summary summary = {.ending = GT_ENDING_HALTED};
	struct gt_sink *sink;
	uint64_t from;
	int r = gt_otlp_http_new(&options, &sink);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < 16; i++)
		trace.trace_id[i] = (uint8_t)(base + i + 1);
	trace.start_ns += base; /* so that the run's own span differs */
	r = sink->begin(sink, &trace);
	if (r == 0)
		r = produce(sink, &trace);
	summary.end_ns = trace.start_ns + spans_wanted * 1000;
	if (r == 0)
		r = sink->end(sink, &trace, &summary);
	from = now_ns();
	if (r == 0)
		r = sink->finish(sink);
	*ret_finish_ns = now_ns() - from;
	gt_otlp_http_stats(sink, ret_stats);
	sink->free(sink);
	return r;
}

int main(int argc, char **argv)
{
	struct gt_otlp_stats stats = {0};
	uint64_t from = now_ns(), finish_ns = 0;
	pthread_t napper;
	int r;

	for (int i = 1; i < argc; i++)
		if (!set(argv[i])) {
			fprintf(stderr, "otlp_producer: '%s'?\n", argv[i]);
			return 2;
		}
	options.header_count = headers[0] != NULL;
	if (pthread_create(&napper, NULL, nap, NULL))
		return 1;
	r = send_spool ? gt_otlp_spool_send(&options, &stats)
	               : run(&stats, &finish_ns);
	print(&stats, r, now_ns() - from, finish_ns);
	return 0;
}
