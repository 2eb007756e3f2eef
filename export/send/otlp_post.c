/* SPDX-License-Identifier: MIT */
/*
 * HTTP by libcurl. Whatever the endpoint does, a request ends: in its time, or
 * when the reply is larger than a reply may be.
 */
#include "otlp_exchange.h"
#include "otlp_grpc.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BASE_URL      "http://localhost:4318"
#define BASE_URL_GRPC "http://localhost:4317"
#define URL_BYTES     128u
#define LOW_SPEED_S   30L /* so long without a byte a second */
#define POLL_MS_MAX   1000u /* who is to wake it may fail to */
/* The product first, as OTLP asks for. */
#define USER_AGENT    "guesttrace/" GT_VERSION " OTel-OTLP-Exporter-C/" GT_VERSION

struct gt__otlp_post {
	CURLM *multi;
	/* An eventfd: who wakes it may have no other call than write(), which
	 * curl_multi_wakeup() is not everywhere. */
	int wake_fd;
	enum gt_otlp_signal signal;
	bool grpc;
	/* Of a body in protobuf or JSON, as it is or in gzip. */
	struct curl_slist *headers[2][2];
	/*
	 * What each request gets a copy of. Before 8.0 a handle that was used
	 * again kept a pointer to the last header of its reply before, and a
	 * reply that began with a folded line had libcurl read it.
	 */
	CURL *pattern;
	struct gt__otlp_exchange *exchanges[GT__POSTS_MAX]; /* when needed */
};

static size_t take_head(char *bytes, size_t size, size_t count, void *context)
{
	struct gt__otlp_exchange *x = context;

	(void)bytes;
	if (GT__REPLY_BYTES_MAX - x->head_bytes < size * count) {
		x->too_long = true;
		return 0;
	}
	x->head_bytes += size * count;
	return size * count;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct gt__otlp_exchange *x = context;

	if (GT__REPLY_BYTES_MAX - x->body_bytes < size * count) {
		x->too_long = true;
		return 0;
	}
	memcpy(x->body + x->body_bytes, bytes, size * count);
	x->body_bytes += size * count;
	return size * count;
}

/* ---- Set-up -------------------------------------------------------------- */

static bool add_header(struct curl_slist **list, const char *header)
{
	struct curl_slist *longer = curl_slist_append(*list, header);

	if (longer)
		*list = longer;
	return longer != NULL;
}

/* To libcurl `Name:` means to leave the header out, `Name;` that it is empty.
 */
static bool add_given(struct curl_slist **list, const char *header)
{
	size_t name = strcspn(header, ":");
	char *empty;
	bool added;

	if (header[name + 1 + strspn(header + name + 1, " \t")] != '\0')
		return add_header(list, header);
	empty = strndup(header, name + 1);
	if (!empty)
		return false;
	empty[name] = ';';
	added = add_header(list, empty);
	free(empty);
	return added;
}

/* What tells of the body is not anybody else's to say. */
static bool is_ours(const char *header, size_t name_bytes)
{
	static const char *const ours[] = {"Content-Type",
	                                   "Content-Encoding",
	                                   "Content-Length",
	                                   "Transfer-Encoding",
	                                   "grpc-encoding",
	                                   "grpc-accept-encoding",
	                                   "TE"};
	size_t i;

	for (i = 0; i < sizeof ours / sizeof *ours; i++)
		if (strlen(ours[i]) == name_bytes &&
		    strncasecmp(ours[i], header, name_bytes) == 0)
			return true;
	return false;
}

/* A name is a token, a value has no controls (RFC 9110, 5.6.2 and 5.5). */
bool gt_otlp_is_header(const char *text)
{
	static const char token[] =
		"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t name_bytes = strspn(text, token);
	const unsigned char *at = (const unsigned char *)text + name_bytes;

	if (!name_bytes || *at != ':' || is_ours(text, name_bytes))
		return false;
	while (*++at)
		if ((*at < ' ' && *at != '\t') || *at == 0x7f)
			return false;
	return true;
}

/* What tells of the body. */
static bool add_own(struct curl_slist **list, bool grpc, bool json, bool gzip)
{
	if (grpc)
		return add_header(list, "Content-Type: application/grpc") &&
		       add_header(list, "TE: trailers") &&
		       add_header(list, "grpc-accept-encoding: identity") &&
		       (!gzip || add_header(list, "grpc-encoding: gzip"));
	return add_header(list,
	                  json ? "Content-Type: application/json"
	                       : "Content-Type: application/x-protobuf") &&
	       (!gzip || add_header(list, "Content-Encoding: gzip"));
}

static int make_headers(struct gt__otlp_post *p,
                        const struct gt_otlp_http_options *options)
{
	size_t i, form;
	bool good = true;

	for (i = 0; i < options->header_count; i++)
		if (!gt_otlp_is_header(options->headers[i]))
			return -EINVAL;
	for (form = 0; form < 4 && good; form++) {
		struct curl_slist **list = &p->headers[form / 2][form % 2];

		/* Not to wait for a 100 that many servers never send. */
		good = add_header(list, "Expect:") &&
		       add_own(list, p->grpc, form / 2, form % 2);
		for (i = 0; i < options->header_count && good; i++)
			good = add_given(list, options->headers[i]);
	}
	return good ? 0 : -ENOMEM;
}

static int check_url(const char *url)
{
	CURLU *parts = curl_url();
	char *scheme = NULL;
	int rc = parts ? -EINVAL : -ENOMEM;

	if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    (!strcmp(scheme, "http") || !strcmp(scheme, "https")))
		rc = 0;
	curl_free(scheme);
	curl_url_cleanup(parts);
	return rc;
}

static int check_file(const char *path)
{
	return !path || access(path, R_OK) == 0 ? 0 : -EINVAL;
}

static void set_up_tls(CURL *easy, const struct gt_otlp_http_options *options)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION,
	                 (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (options->ca_file) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (options->certificate_file)
		curl_easy_setopt(easy, CURLOPT_SSLCERT,
		                 options->certificate_file);
	if (options->key_file)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, options->key_file);
}

/* HTTP/2 without asking for it (RFC 9113, 3.3), or as TLS agrees. */
static long http_version(const struct gt_otlp_http_options *options,
                         const char *url)
{
	if (options->protocol != GT_OTLP_GRPC)
		return CURL_HTTP_VERSION_1_1;
	return strncasecmp(url, "https:", 6) == 0
	               ? CURL_HTTP_VERSION_2TLS
	               : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
}

/*
 * Before 8.0 libcurl could not use a connection again that began as HTTP/2
 * without asking: "Error in the HTTP2 framing layer".
 */
static bool must_connect_anew(long version)
{
	return version == CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE &&
	       curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
}

static bool has_http2(void)
{
	return curl_version_info(CURLVERSION_NOW)->features &
	       CURL_VERSION_HTTP2;
}

static void set_up(CURL *easy, const struct gt_otlp_http_options *options,
                   const char *url)
{
	uint32_t timeout_ms =
		options->timeout_ms ? options->timeout_ms : GT__POST_TIMEOUT_MS;
	long version = http_version(options, url);

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever env says */
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT,
	                 (long)must_connect_anew(version));
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE,
	                 (long)must_connect_anew(version));
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L); /* one connection, if */
	curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_S);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_head);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	set_up_tls(easy, options);
}

/* A handle for one request; false: no memory. */
static bool open_handle(struct gt__otlp_post *p, struct gt__otlp_exchange *x)
{
	CURL *easy = curl_easy_duphandle(p->pattern);

	x->easy = easy;
	if (!easy)
		return false;
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->error);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)x);
	return true;
}

static void close_handle(struct gt__otlp_exchange *x)
{
	curl_easy_cleanup(x->easy);
	x->easy = NULL;
}

int gt__otlp_post_new(const struct gt_otlp_http_options *options,
                      struct gt__otlp_post **ret_post)
{
	bool grpc = options->protocol == GT_OTLP_GRPC;
	char standard[URL_BYTES];
	const char *url = options->url ? options->url : standard;
	struct gt__otlp_post *p;
	int rc = 0;

	if (grpc && !has_http2())
		return -ENOTSUP;
	snprintf(standard, sizeof standard, "%s%s",
	         grpc ? BASE_URL_GRPC : BASE_URL,
	         gt_otlp_path(options->signal, options->protocol));
	if (check_url(url) || check_file(options->ca_file) ||
	    check_file(options->certificate_file) ||
	    check_file(options->key_file))
		return -EINVAL;
	p = calloc(1, sizeof *p);
	if (!p)
		return -ENOMEM;
	p->grpc = grpc;
	p->signal = options->signal;
	p->multi = curl_multi_init();
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->pattern = curl_easy_init();
	if (!p->multi || !p->pattern)
		rc = -ENOMEM;
	else if (p->wake_fd < 0)
		rc = -errno;
	if (!rc)
		rc = make_headers(p, options);
	if (rc) {
		gt__otlp_post_free(p);
		return rc;
	}
	set_up(p->pattern, options, url);
	*ret_post = p;
	return 0;
}

void gt__otlp_post_free(struct gt__otlp_post *p)
{
	size_t i;

	if (!p)
		return;
	while (gt__otlp_post_take_back(p))
		;
	for (i = 0; i < GT__POSTS_MAX; i++)
		free(p->exchanges[i]);
	curl_easy_cleanup(p->pattern);
	curl_multi_cleanup(p->multi);
	if (p->wake_fd >= 0)
		close(p->wake_fd);
	for (i = 0; i < 4; i++)
		curl_slist_free_all(p->headers[i / 2][i % 2]);
	free(p);
}

/* ---- A request ----------------------------------------------------------- */

/* One that is free; NULL: none, or no memory. */
static struct gt__otlp_exchange *free_exchange(struct gt__otlp_post *p)
{
	size_t i = 0;

	while (i < GT__POSTS_MAX && p->exchanges[i] && p->exchanges[i]->request)
		i++;
	if (i == GT__POSTS_MAX)
		return NULL;
	if (!p->exchanges[i])
		p->exchanges[i] = calloc(1, sizeof *p->exchanges[i]);
	return p->exchanges[i];
}

bool gt__otlp_post_takes(const struct gt__otlp_post *p,
                         const struct gt__otlp_request *request)
{
	return request->signal == p->signal && !(p->grpc && request->json);
}

static void give_body(struct gt__otlp_exchange *x)
{
	curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS,
	                 (const char *)x->request->bytes);
	curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE,
	                 (curl_off_t)x->request->count);
}

int gt__otlp_post_begin(struct gt__otlp_post *p,
                        struct gt__otlp_request *request)
{
	struct gt__otlp_exchange *x = free_exchange(p);

	if (!x || !open_handle(p, x))
		return -ENOMEM;
	x->request = request;
	x->grpc = p->grpc;
	x->too_long = false;
	x->head_bytes = x->body_bytes = 0;
	x->error[0] = '\0';
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER,
	                 p->headers[request->json][request->gzip]);
	if (p->grpc)
		gt__otlp_frame_grpc(x);
	else
		give_body(x);
	if (curl_multi_add_handle(p->multi, x->easy) == CURLM_OK)
		return 0;
	x->request = NULL;
	close_handle(x);
	return -ENOMEM;
}

/* It is over, or given up. */
static struct gt__otlp_request *release(struct gt__otlp_post *p,
                                        struct gt__otlp_exchange *x)
{
	struct gt__otlp_request *request = x->request;

	curl_multi_remove_handle(p->multi, x->easy);
	close_handle(x);
	x->request = NULL;
	return request;
}

struct gt__otlp_request *gt__otlp_post_take_back(struct gt__otlp_post *p)
{
	size_t i;

	for (i = 0; i < GT__POSTS_MAX; i++)
		if (p->exchanges[i] && p->exchanges[i]->request)
			return release(p, p->exchanges[i]);
	return NULL;
}

struct gt__otlp_request *gt__otlp_post_ended(struct gt__otlp_post *p,
                                             struct gt__otlp_result *ret_result)
{
	const CURLMsg *message;
	struct gt__otlp_exchange *x = NULL;
	int running, left;

	curl_multi_perform(p->multi, &running);
	do
		message = curl_multi_info_read(p->multi, &left);
	while (message && message->msg != CURLMSG_DONE);
	if (!message)
		return NULL;
	curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&x);
	gt__otlp_judge(x, message->data.result, ret_result);
	return release(p, x);
}

void gt__otlp_post_wait(struct gt__otlp_post *p, uint32_t timeout_ms)
{
	struct curl_waitfd wake = {.fd = p->wake_fd, .events = CURL_WAIT_POLLIN};
	uint64_t count;

	curl_multi_poll(
		p->multi, &wake, 1,
		(int)(timeout_ms < POLL_MS_MAX ? timeout_ms : POLL_MS_MAX),
		NULL);
	if (wake.revents && read(p->wake_fd, &count, sizeof count) < 0)
		return;
}

void gt__otlp_post_wake(struct gt__otlp_post *p)
{
	uint64_t one = 1;

	/* It can only be full, and then it wakes anyway. */
	if (write(p->wake_fd, &one, sizeof one) < 0)
		return;
}
