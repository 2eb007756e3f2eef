/* SPDX-License-Identifier: MIT */
/*
 * Whether TLS can use the files that it is given, without an endpoint: libcurl
 * begins a connection to a socket of our own, where nobody answers. It reads
 * the files before it says its first word, but for authorities, which it may
 * read when it waits for the answer.
 */
#include <guesttrace/export_otlp.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TIMEOUT_MS 5000L /* nobody is waited for; a disk may be slow */
#define LOOK_MS    2

/* Without a file or an address, by a name that the kernel makes. */
static int listen_nowhere(char *ret_name, size_t size)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t bytes = sizeof at;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&at, sizeof at.sun_family) == 0 &&
	    listen(fd, 1) == 0 &&
	    getsockname(fd, (struct sockaddr *)&at, &bytes) == 0 &&
	    bytes > sizeof at.sun_family + 1) {
		snprintf(ret_name, size, "%.*s",
		         (int)(bytes - sizeof at.sun_family - 1),
		         at.sun_path + 1);
		return fd;
	}
	close(fd);
	return -1;
}

static void set_up(CURL *easy, const char *name, char *why)
{
	curl_easy_setopt(easy, CURLOPT_URL, "https://localhost/");
	curl_easy_setopt(easy, CURLOPT_ABSTRACT_UNIX_SOCKET, name);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION,
	                 (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why);
}

/* Whether a word has come; *peer is -1 until somebody has connected. */
static bool is_said(int fd, int *peer)
{
	char word;

	if (*peer < 0)
		*peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return *peer >= 0 && recv(*peer, &word, 1, MSG_PEEK) > 0;
}

/* What it ended with; CURLE_OK: the word is said, and it waits. */
static CURLcode listen_for_word(CURLM *multi, int fd)
{
	CURLcode code = CURLE_OK;
	bool said = false;
	int running = 1, left, peer = -1;
	CURLMsg *message;

	while (!said && running &&
	       curl_multi_perform(multi, &running) == CURLM_OK) {
		said = is_said(fd, &peer);
		if (!said && running)
			curl_multi_poll(multi, NULL, 0, LOOK_MS, NULL);
	}
	if (said && running)
		curl_multi_perform(multi, &running);
	message = curl_multi_info_read(multi, &left);
	if (message && message->msg == CURLMSG_DONE)
		code = message->data.result;
	if (peer >= 0)
		close(peer);
	return code;
}

/* Of no memory and the like nothing is said here. */
static bool is_of_files(CURLcode code)
{
	return code == CURLE_SSL_CERTPROBLEM ||
	       code == CURLE_SSL_CACERT_BADFILE ||
	       code == CURLE_SSL_CONNECT_ERROR;
}

/* `why` is of CURL_ERROR_SIZE bytes. */
static bool refuses(CURL *easy, char *why)
{
	char name[sizeof(struct sockaddr_un)];
	CURLM *multi = easy ? curl_multi_init() : NULL;
	int fd = multi ? listen_nowhere(name, sizeof name) : -1;
	CURLcode code = CURLE_OK;

	if (fd >= 0) {
		set_up(easy, name, why);
		if (curl_multi_add_handle(multi, easy) == CURLM_OK) {
			code = listen_for_word(multi, fd);
			curl_multi_remove_handle(multi, easy);
		}
		close(fd);
	}
	curl_multi_cleanup(multi);
	return is_of_files(code);
}

static bool refuses_authorities(const char *path, char *why)
{
	CURL *easy = curl_easy_init();
	bool refused;

	curl_easy_setopt(easy, CURLOPT_CAINFO, path);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	refused = refuses(easy, why);
	curl_easy_cleanup(easy);
	return refused;
}

/* The system's authorities, which take long to read, are not asked for. */
static bool refuses_client(const struct gt_otlp_http_options *options,
                           char *why)
{
	CURL *easy = curl_easy_init();
	bool refused;

	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSLCERT, options->certificate_file);
	if (options->key_file)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, options->key_file);
	refused = refuses(easy, why);
	curl_easy_cleanup(easy);
	return refused;
}

enum gt_otlp_tls_fault
gt_otlp_tls_check(const struct gt_otlp_http_options *options,
                  char ret_why[GT_OTLP_WHY_BYTES])
{
	char why[CURL_ERROR_SIZE] = "";
	enum gt_otlp_tls_fault fault = GT_OTLP_TLS_GOOD;

	if (options->ca_file && refuses_authorities(options->ca_file, why))
		fault = GT_OTLP_TLS_AUTHORITIES;
	else if (options->certificate_file && refuses_client(options, why))
		fault = GT_OTLP_TLS_CLIENT;
	snprintf(ret_why, GT_OTLP_WHY_BYTES, "%.*s", GT_OTLP_WHY_BYTES - 1,
	         fault == GT_OTLP_TLS_GOOD ? "" : why);
	return fault;
}
