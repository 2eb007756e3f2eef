/* SPDX-License-Identifier: MIT */
#include "otlp_settings.h"
#include "otlp_endpoint.h"
#include "command.h"
#include "environment.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Words and numbers --------------------------------------------------- */

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static const char *behind_blanks(const char *text)
{
	return text + strspn(text, " \t\n\v\f\r");
}

static bool read_number(const char *name, uint32_t *number)
{
	const char *text = variable(name);
	unsigned long long value;
	char *end;

	if (!text)
		return false;
	errno = 0;
	text = behind_blanks(text);
	value = strtoull(text, &end, 10);
	if (errno == 0 && *behind_blanks(end) == '\0' &&
	    isdigit((unsigned char)*text) && value > 0 && value <= INT32_MAX) {
		*number = (uint32_t)value;
		return true;
	}
	complain("%s wants a whole number from 1 to %d, not '%s': ignored",
	         name, INT32_MAX, text);
	return false;
}

static bool is_word(const char *text, const char *word)
{
	return environment_is_word(text, strlen(text), word);
}

/* A limit, which may be 0. */
static bool read_limit(const char *name, uint32_t *number)
{
	const char *text = variable(name);

	if (text && is_word(text, "0")) {
		*number = 0;
		return true;
	}
	return read_number(name, number);
}

/* 0 or 1: which of the two words it is; -1: not set, or neither. */
static int read_choice(const char *name, const char *zero, const char *one)
{
	const char *text = variable(name);

	if (!text)
		return -1;
	if (is_word(text, zero))
		return 0;
	if (is_word(text, one))
		return 1;
	complain("%s is %s or %s, not '%s': ignored", name, zero, one, text);
	return -1;
}

/* ---- Pairs: "key=value,key=value" ---------------------------------------- */

static char *trim(char *text)
{
	size_t length;

	while (isspace((unsigned char)*text))
		text++;
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %41 to A, in place; false if a % has no two digits, or is a NUL. */
static bool decode(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text != '%') {
			*to++ = *text;
			continue;
		}
		int high = hex_digit(text[1]);
		int low = high < 0 ? -1 : hex_digit(text[2]);

		if (low < 0 || high * 16 + low == 0)
			return false;
		*to++ = (char)(high * 16 + low);
		text += 2;
	}
	*to = '\0';
	return true;
}

/*
 * Takes the next pair out of *list, which it changes; nothing between two
 * commas is nothing, and what is no pair is named and ignored, without what may
 * be a secret in it. False at the end.
 */
static bool next_pair(const char *name, bool decodes_keys, char **list,
                      char **ret_key, char **ret_value)
{
	while (*list) {
		char *item = trim(strsep(list, ","));
		char *equals = strchr(item, '=');

		if (!*item)
			continue;
		if (equals)
			*equals = '\0';
		*ret_key = trim(item);
		*ret_value = equals ? trim(equals + 1) : NULL;
		if (equals && **ret_key && decode(*ret_value) &&
		    (!decodes_keys || decode(*ret_key)))
			return true;
		complain("%s: '%s' has no key=value: ignored", name, item);
	}
	return false;
}

/* Beyond a bound that nobody needs. */
static void complain_of_pair(const char *name, const char *key)
{
	complain("%s has more than %d pairs: '%s' is ignored", name,
	         OTLP_PAIRS_MAX, key);
}

static bool read_headers(struct otlp_settings *s, const char *name,
                         const char *text)
{
	char *copy = strdup(text), *list = copy, *key, *value;
	size_t count = 0;

	while (next_pair(name, false, &list, &key, &value)) {
		char *header = NULL;

		if (count == OTLP_PAIRS_MAX)
			complain_of_pair(name, key);
		else if (asprintf(&header, "%s: %s", key, value) >= 0 &&
		         gt_otlp_is_header(header))
			s->headers[count++] = header;
		else {
			complain("%s: '%s' is no header that can be given: "
			         "ignored",
			         name, key);
			free(header);
		}
	}
	free(copy);
	s->options.headers = (const char *const *)s->headers;
	s->options.header_count = count;
	return count > 0;
}

/* What guesttrace alone says would be left out of the resource in silence. */
static bool is_reserved(const char *key)
{
	return strncmp(key, "guesttrace.", strlen("guesttrace.")) == 0;
}

/* Of the same key the one that came first holds. */
static void add_attribute(struct otlp_settings *s, const char *key,
                          const char *value)
{
	if (s->options.attribute_count == OTLP_ATTRIBUTES_MAX)
		return;
	s->attributes[s->options.attribute_count++] =
		(struct gt_otlp_attribute){key, value};
	s->options.attributes = s->attributes;
}

void otlp_settings_prefer(struct otlp_settings *s,
                          const struct gt_otlp_attribute *given)
{
	size_t count = s->options.attribute_count;

	if (count == OTLP_ATTRIBUTES_MAX)
		return;
	memmove(s->attributes + 1, s->attributes,
	        count * sizeof(s->attributes[0]));
	s->attributes[0] = *given;
	s->options.attributes = s->attributes;
	s->options.attribute_count = count + 1;
}

static int read_attributes(struct otlp_settings *s)
{
	static const char name[] = "OTEL_RESOURCE_ATTRIBUTES";
	const char *service = variable("OTEL_SERVICE_NAME");
	const char *text = variable(name);
	size_t before;
	char *list, *key, *value;

	if (service)
		add_attribute(s, "service.name", service);
	if (!text)
		return 0;
	s->attributes_text = list = strdup(text);
	if (!list)
		return -ENOMEM;
	before = s->options.attribute_count;
	while (next_pair(name, true, &list, &key, &value)) {
		if (is_reserved(key))
			complain("%s: %s is guesttrace's own: ignored", name,
			         key);
		else if (s->options.attribute_count - before == OTLP_PAIRS_MAX)
			complain_of_pair(name, key);
		else
			add_attribute(s, key, value);
	}
	return 0;
}

/* ---- OTEL_EXPORTER_OTLP_*: the form for the signal wins ------------------ */

static bool read_protocol(struct otlp_settings *s, const char *name,
                          const char *text)
{
	static const struct {
		const char *word;
		enum gt_otlp_protocol protocol;
	} protocols[] = {
		{"http/protobuf", GT_OTLP_HTTP_PROTOBUF},
		{"http/json", GT_OTLP_HTTP_JSON},
		{"grpc", GT_OTLP_GRPC},
	};

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (is_word(text, protocols[i].word)) {
			s->options.protocol = protocols[i].protocol;
			return true;
		}
	complain("%s is http/protobuf, http/json or grpc, not '%s': ignored",
	         name, text);
	return false;
}

static bool read_timeout(struct otlp_settings *s, const char *name,
                         const char *text)
{
	(void)text;
	return read_number(name, &s->options.timeout_ms);
}

static bool read_compression(struct otlp_settings *s, const char *name,
                             const char *text)
{
	int choice = read_choice(name, "none", "gzip");

	(void)text;
	if (choice >= 0)
		s->options.gzip = choice;
	return choice >= 0;
}

static bool read_ca(struct otlp_settings *s, const char *name, const char *text)
{
	(void)name;
	s->options.ca_file = text;
	return true;
}

static bool read_key(struct otlp_settings *s, const char *name,
                     const char *text)
{
	(void)name;
	s->options.key_file = text;
	return true;
}

static bool read_certificate(struct otlp_settings *s, const char *name,
                             const char *text)
{
	(void)name;
	s->options.certificate_file = text;
	return true;
}

static const struct {
	const char *name;
	bool (*read)(struct otlp_settings *settings, const char *name,
	             const char *text);
} exporter_variables[] = {
	{"PROTOCOL", read_protocol},
	{"HEADERS", read_headers},
	{"TIMEOUT", read_timeout},
	{"COMPRESSION", read_compression},
	{"CERTIFICATE", read_ca},
	{"CLIENT_KEY", read_key},
	{"CLIENT_CERTIFICATE", read_certificate},
};

static void read_exporter(struct otlp_settings *s)
{
	const char *const prefixes[] = {otlp_prefix(s->options.signal),
	                                "OTEL_EXPORTER_OTLP_"};
	const size_t count =
		sizeof(exporter_variables) / sizeof(exporter_variables[0]);
	char name[64];

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < 2; j++) {
			const char *text;

			snprintf(name, sizeof(name), "%s%s", prefixes[j],
			         exporter_variables[i].name);
			text = variable(name);
			if (text && exporter_variables[i].read(s, name, text))
				break;
		}
}

/* ---- All of it ----------------------------------------------------------- */

/* A span, a log record: how long it waits, and with how many. */
static void read_batching(struct gt_otlp_http_options *options,
                          const char *prefix)
{
	uint32_t *const numbers[] = {&options->delay_ms, &options->finish_ms,
	                             &options->queue_spans,
	                             &options->batch_spans};
	static const char *const names[] = {"SCHEDULE_DELAY", "EXPORT_TIMEOUT",
	                                    "MAX_QUEUE_SIZE",
	                                    "MAX_EXPORT_BATCH_SIZE"};
	char name[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", prefix, names[i]);
		read_number(name, numbers[i]);
	}
}

/* The first of the two that is set and understood. */
static void read_limit_of(const char *name, const char *of_all,
                          struct gt_otlp_limit *limit)
{
	limit->is_set = read_limit(name, &limit->max) ||
	                (of_all && read_limit(of_all, &limit->max));
}

static void read_limits(struct gt_otlp_http_options *options)
{
	static const char count[] = "OTEL_ATTRIBUTE_COUNT_LIMIT";
	static const char length[] = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT";
	struct gt_otlp_limits *limits = &options->limits;

	if (options->signal == GT_OTLP_METRICS)
		return;
	if (options->signal == GT_OTLP_LOGS) {
		read_limit_of("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", count,
		              &limits->event_attributes);
		read_limit_of("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
		              length, &limits->value_length);
		return;
	}
	read_limit_of("OTEL_SPAN_EVENT_COUNT_LIMIT", NULL, &limits->events);
	read_limit_of("OTEL_SPAN_LINK_COUNT_LIMIT", NULL, &limits->links);
	read_limit_of("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", count,
	              &limits->span_attributes);
	read_limit_of("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", count,
	              &limits->event_attributes);
	read_limit_of("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", length,
	              &limits->value_length);
}

static void read_timing(struct gt_otlp_http_options *options)
{
	switch (options->signal) {
	case GT_OTLP_TRACES:
		read_batching(options, "OTEL_BSP_");
		break;
	case GT_OTLP_METRICS:
		read_number("OTEL_METRIC_EXPORT_INTERVAL", &options->delay_ms);
		read_number("OTEL_METRIC_EXPORT_TIMEOUT", &options->finish_ms);
		break;
	case GT_OTLP_LOGS:
		read_batching(options, "OTEL_BLRP_");
		break;
	}
}

int otlp_settings_read(struct otlp_settings *s, enum gt_otlp_signal signal,
                       const char *url)
{
	uint32_t spool_mib, own_mib;

	if (url && *url && !otlp_is_endpoint(url)) {
		complain("OTLP to '%s': an endpoint begins with http://, "
		         "https://, grpc:// or grpcs://",
		         url);
		*s = (struct otlp_settings){0};
		return -EINVAL;
	}
	*s = (struct otlp_settings){
		.options = {.size = sizeof(s->options),
	                    .signal = signal,
	                    .gzip = true},
	};
	s->disabled = read_choice("OTEL_SDK_DISABLED", "false", "true") == 1;
	s->options.spool_directory = variable("GUESTTRACE_SPOOL");
	if (read_number("GUESTTRACE_SPOOL_MIB", &spool_mib))
		s->options.spool_bytes = (uint64_t)spool_mib << 20;
	if (read_number("GUESTTRACE_SPOOL_RUN_MIB", &own_mib))
		s->options.spool_own_bytes = (uint64_t)own_mib << 20;
	read_exporter(s);
	s->url = otlp_endpoint(&s->options, url);
	s->options.url = s->url;
	read_timing(&s->options);
	read_limits(&s->options);
	if (s->url && read_attributes(s) == 0)
		return 0;
	complain("%s", code_text(-ENOMEM));
	otlp_settings_free(s);
	return -ENOMEM;
}

void otlp_settings_free(struct otlp_settings *s)
{
	free(s->url);
	free(s->attributes_text);
	for (size_t i = 0; i < OTLP_PAIRS_MAX; i++)
		free(s->headers[i]);
	*s = (struct otlp_settings){0};
}
