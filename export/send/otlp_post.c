/* SPDX-License-Identifier: MIT */
/*
 * HTTP by libcurl. Whatever the endpoint does, a request ends: in its time, or
 * when the reply is larger than a reply may be.
 */
#include "otlp_post.h"
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define URL_DEFAULT "http://localhost:4318/v1/traces"
#define TIMEOUT_MS  10000u
#define LOW_SPEED_S 30L /* so long without a byte a second */
#define POLL_MS_MAX 60000u
#define USER_AGENT  "OTel-OTLP-Exporter-C/" GT_VERSION

struct gt__otlp_post {
	CURLM *multi;
	CURL *easy;
	/* Of a body in protobuf or JSON, as it is or in gzip. */
	struct curl_slist *headers[2][2];
	bool busy;
	bool too_long;
	size_t head_bytes;
	size_t body_bytes;
	char body[GT__REPLY_BYTES_MAX];
	char error[CURL_ERROR_SIZE];
};

static size_t take_head(char *bytes, size_t size, size_t count, void *context)
{
	struct gt__otlp_post *p = context;

	(void)bytes;
	if (GT__REPLY_BYTES_MAX - p->head_bytes < size * count) {
		p->too_long = true;
		return 0;
	}
	p->head_bytes += size * count;
	return size * count;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct gt__otlp_post *p = context;

	if (GT__REPLY_BYTES_MAX - p->body_bytes < size * count) {
		p->too_long = true;
		return 0;
	}
	memcpy(p->body + p->body_bytes, bytes, size * count);
	p->body_bytes += size * count;
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
	static const char *const ours[] = {"Content-Type", "Content-Encoding",
	                                   "Content-Length",
	                                   "Transfer-Encoding"};
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
		       add_header(list, form / 2 ? "Content-Type: application/"
		                                   "json"
		                                 : "Content-Type: application/"
		                                   "x-protobuf");
		if (form % 2)
			good = good &&
			       add_header(list, "Content-Encoding: gzip");
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

static void set_up(struct gt__otlp_post *p,
                   const struct gt_otlp_http_options *options, const char *url)
{
	uint32_t timeout_ms =
		options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;

	curl_easy_setopt(p->easy, CURLOPT_URL, url);
	curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(p->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(p->easy, CURLOPT_PROXY, ""); /* whatever env says */
	curl_easy_setopt(p->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(p->easy, CURLOPT_HTTP_VERSION,
	                 (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(p->easy, CURLOPT_USERAGENT, USER_AGENT);
	curl_easy_setopt(p->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(p->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(p->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(p->easy, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_S);
	curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->error);
	curl_easy_setopt(p->easy, CURLOPT_HEADERFUNCTION, take_head);
	curl_easy_setopt(p->easy, CURLOPT_HEADERDATA, p);
	curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p);
	set_up_tls(p->easy, options);
}

int gt__otlp_post_new(const struct gt_otlp_http_options *options,
                      struct gt__otlp_post **ret_post)
{
	const char *url = options->url ? options->url : URL_DEFAULT;
	struct gt__otlp_post *p;
	int rc = 0;

	if (check_url(url) || check_file(options->ca_file) ||
	    check_file(options->certificate_file) ||
	    check_file(options->key_file))
		return -EINVAL;
	p = calloc(1, sizeof *p);
	if (!p)
		return -ENOMEM;
	p->multi = curl_multi_init();
	p->easy = curl_easy_init();
	if (!p->multi || !p->easy)
		rc = -ENOMEM;
	if (!rc)
		rc = make_headers(p, options);
	if (rc) {
		gt__otlp_post_free(p);
		return rc;
	}
	set_up(p, options, url);
	*ret_post = p;
	return 0;
}

void gt__otlp_post_free(struct gt__otlp_post *p)
{
	size_t form;

	if (!p)
		return;
	gt__otlp_post_drop(p);
	curl_easy_cleanup(p->easy);
	curl_multi_cleanup(p->multi);
	for (form = 0; form < 4; form++)
		curl_slist_free_all(p->headers[form / 2][form % 2]);
	free(p);
}

/* ---- A request ----------------------------------------------------------- */

int gt__otlp_post_begin(struct gt__otlp_post *p,
                        const struct gt__otlp_request *request)
{
	curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER,
	                 p->headers[request->json][request->gzip]);
	curl_easy_setopt(p->easy, CURLOPT_POSTFIELDS,
	                 (const char *)request->bytes);
	curl_easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE_LARGE,
	                 (curl_off_t)request->count);
	p->too_long = false;
	p->head_bytes = p->body_bytes = 0;
	p->error[0] = '\0';
	if (curl_multi_add_handle(p->multi, p->easy) != CURLM_OK)
		return -ENOMEM;
	p->busy = true;
	return 0;
}

void gt__otlp_post_drop(struct gt__otlp_post *p)
{
	if (p->busy)
		curl_multi_remove_handle(p->multi, p->easy);
	p->busy = false;
}

static const char *content_type(const struct gt__otlp_post *p)
{
	const char *type = NULL;

	curl_easy_getinfo(p->easy, CURLINFO_CONTENT_TYPE, &type);
	return type ? type : "";
}

/* What the endpoint has to say, in the first line of plain text as well. */
static struct gt_text message_of(const struct gt__otlp_post *p, bool json,
                                 bool taken)
{
	size_t line = 0;

	if (json)
		return gt__otlp_message_json(p->body, p->body_bytes, taken);
	if (strncasecmp(content_type(p), "text/plain", 10) != 0)
		return gt__otlp_message_protobuf(p->body, p->body_bytes, taken);
	while (line < p->body_bytes && p->body[line] >= ' ')
		line++;
	return (struct gt_text){p->body, taken ? 0 : line};
}

/* Proxies and receivers that answer 400 where 413 is meant. */
static bool says_too_large(struct gt_text message)
{
	static const char words[] = "too large";
	size_t i;

	for (i = 0; i + sizeof words - 1 <= message.count; i++)
		if (!strncasecmp(message.bytes + i, words, sizeof words - 1))
			return true;
	return false;
}

/* What its body says: how many it did not take, and why. */
static void judge_body(const struct gt__otlp_post *p, long status,
                       struct gt__otlp_result *result)
{
	bool json = strcasestr(content_type(p), "json") != NULL;
	bool taken = result->verdict == GT__OTLP_TAKEN;
	struct gt_text message = message_of(p, json, taken);
	int count = message.count < 120 ? (int)message.count : 120;

	if (status == 400 && says_too_large(message))
		result->verdict = GT__OTLP_TOO_LARGE;
	if (taken)
		result->rejected_spans =
			json ? gt__otlp_rejected_json(p->body, p->body_bytes)
			     : gt__otlp_rejected_protobuf(p->body,
		                                          p->body_bytes);
	if (!taken || result->rejected_spans || count)
		snprintf(result->error, sizeof result->error, "HTTP %ld%s%.*s",
		         status, count ? ": " : "", count, message.bytes);
}

static void judge_reply(struct gt__otlp_post *p, long status,
                        struct gt__otlp_result *result)
{
	struct curl_header *after;

	result->answered = true;
	result->verdict = gt__otlp_verdict(status);
	if (curl_easy_header(p->easy, "Retry-After", 0, CURLH_HEADER, -1,
	                     &after) == CURLHE_OK)
		result->has_retry_after =
			gt__otlp_retry_after(after->value, (int64_t)time(NULL),
		                             &result->retry_after_ms);
	if (!p->too_long)
		judge_body(p, status, result);
	else
		snprintf(result->error, sizeof result->error,
		         "HTTP %ld and a reply too long", status);
}

/* libcurl's messages may have bytes of the endpoint's in them. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void judge(struct gt__otlp_post *p, CURLcode code,
                  struct gt__otlp_result *result)
{
	long status = 0;

	*result = (struct gt__otlp_result){.verdict = GT__OTLP_TRY_AGAIN};
	curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
	/* Of 1xx a reply is still to come. */
	if (status >= 200 && (code == CURLE_OK || p->too_long))
		judge_reply(p, status, result);
	else
		snprintf(result->error, sizeof result->error, "%.150s",
		         p->error[0] ? p->error : curl_easy_strerror(code));
	make_printable(result->error);
}

bool gt__otlp_post_ended(struct gt__otlp_post *p,
                         struct gt__otlp_result *ret_result)
{
	const CURLMsg *message;
	int running, left;

	if (!p->busy)
		return false;
	curl_multi_perform(p->multi, &running);
	message = curl_multi_info_read(p->multi, &left);
	if (!message || message->msg != CURLMSG_DONE)
		return false;
	judge(p, message->data.result, ret_result);
	gt__otlp_post_drop(p);
	return true;
}

void gt__otlp_post_wait(struct gt__otlp_post *p, uint32_t timeout_ms)
{
	curl_multi_poll(
		p->multi, NULL, 0,
		(int)(timeout_ms < POLL_MS_MAX ? timeout_ms : POLL_MS_MAX),
		NULL);
}

void gt__otlp_post_wake(struct gt__otlp_post *p)
{
	curl_multi_wakeup(p->multi);
}
