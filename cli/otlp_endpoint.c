/* SPDX-License-Identifier: MIT */
#include "otlp_endpoint.h"
#include "otlp_output.h"
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE_URL      "http://localhost:4318"
#define BASE_URL_GRPC "http://localhost:4317"
#define BLANKS        " \t\n\v\f\r"

const char *otlp_prefix(enum gt_otlp_signal signal)
{
	switch (signal) {
	case GT_OTLP_TRACES:
		break;
	case GT_OTLP_METRICS:
		return "OTEL_EXPORTER_OTLP_METRICS_";
	case GT_OTLP_LOGS:
		return "OTEL_EXPORTER_OTLP_LOGS_";
	}
	return "OTEL_EXPORTER_OTLP_TRACES_";
}

/* Behind scheme and authority: "" or from the slash on. */
static const char *path_of(const char *url)
{
	const char *authority = strstr(url, "://");

	authority = authority ? authority + 3 : url;
	return authority + strcspn(authority, "/?#");
}

/* A base URL, below which the signal is taken. */
static char *below(const struct gt_otlp_http_options *o, const char *base)
{
	bool grpc = o->protocol == GT_OTLP_GRPC;
	const char *path = gt_otlp_path(o->signal, o->protocol);
	size_t whole = strcspn(base, "?#");
	size_t length = grpc ? (size_t)(path_of(base) - base) : whole;
	char *url;

	while (length > 0 && base[length - 1] == '/')
		length--;
	if (asprintf(&url, "%.*s%s%s", (int)length, base, path, base + whole) <
	    0)
		return NULL;
	return url;
}

static bool has_scheme(const char *url, const char *scheme)
{
	return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

/* The value of a variable, for free(); NULL if it is no URL for HTTP. */
static char *read_url(const char *name)
{
	const char *text = getenv(name);
	char *copy = text && *text ? strdup(text) : NULL, *url;
	size_t length;

	if (!copy)
		return NULL;
	url = copy + strspn(copy, BLANKS);
	memmove(copy, url, strlen(url) + 1);
	for (length = strlen(copy); length && strchr(BLANKS, copy[length - 1]);)
		copy[--length] = '\0';
	if (has_scheme(copy, "http://") || has_scheme(copy, "https://"))
		return copy;
	complain("%s is no http:// or https:// URL: ignored", name);
	free(copy);
	return NULL;
}

bool otlp_is_base(const char *url)
{
	const char *path = path_of(url);

	return strcmp(path, "") == 0 || strcmp(path, "/") == 0;
}

/* Of gRPC the path is its own, whatever the base has. */
static bool is_base(const struct gt_otlp_http_options *o, const char *url)
{
	return otlp_is_base(url) ||
	       (o->protocol == GT_OTLP_GRPC &&
	        !strstr(path_of(url), gt_otlp_path(o->signal, GT_OTLP_GRPC)));
}

/* grpc://HOST and grpcs://HOST name the protocol, too. */
static char *url_of(struct gt_otlp_http_options *o, const char *given)
{
	char *url;

	if (has_scheme(given, "grpc://") || has_scheme(given, "grpcs://")) {
		o->protocol = GT_OTLP_GRPC;
		if (asprintf(&url, "http%s", given + strlen("grpc")) < 0)
			return NULL;
	} else {
		url = strdup(given);
	}
	if (url && is_base(o, url)) {
		char *whole = below(o, url);

		free(url);
		return whole;
	}
	return url;
}

char *otlp_endpoint(struct gt_otlp_http_options *o, const char *given)
{
	char *own, *base, *url, name[64];

	if (given && *given)
		return url_of(o, given);
	snprintf(name, sizeof(name), "%sENDPOINT", otlp_prefix(o->signal));
	own = read_url(name);
	if (own && o->protocol != GT_OTLP_GRPC)
		return own;
	base = own ? own : read_url("OTEL_EXPORTER_OTLP_ENDPOINT");
	if (base)
		url = o->protocol == GT_OTLP_GRPC ? url_of(o, base)
		                                  : below(o, base);
	else
		url = below(o, o->protocol == GT_OTLP_GRPC ? BASE_URL_GRPC
		                                           : BASE_URL);
	free(base);
	return url;
}

bool otlp_is_endpoint(const char *url)
{
	return has_scheme(url, "http://") || has_scheme(url, "https://") ||
	       has_scheme(url, "grpc://") || has_scheme(url, "grpcs://");
}
