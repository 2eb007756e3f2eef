/* SPDX-License-Identifier: MIT */
/* Files of TLS that cannot be what they are said to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/command.h"
#include "cli/otlp_tls.h"

#define PEM(label) "-----BEGIN " label "-----\nAAAA\n-----END " label "-----\n"

static char said[512];

void complain(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(said, sizeof(said), format, values);
	va_end(values);
}

static char directory[] = "/tmp/otlp_tls.XXXXXX";

static const struct {
	const char *name, *text;
} files[] = {
	{"cert", "subject: x\n" PEM("CERTIFICATE")},
	{"trusted", PEM("TRUSTED CERTIFICATE")},
	{"key", PEM("PRIVATE KEY")},
	{"rsa", PEM("RSA PRIVATE KEY")},
	{"both", PEM("EC PRIVATE KEY") PEM("CERTIFICATE")},
	{"locked", PEM("ENCRYPTED PRIVATE KEY")},
	{"public", PEM("PUBLIC KEY")},
	{"der", "0\202\001"},
	{"empty", ""},
	{"cut", "-----BEGIN CERTIFICATE-----\nAAAA\n"},
	{"cutkey", "-----BEGIN PRIVATE KEY-----\nAAAA\n"},
};

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory) || chdir(directory) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		FILE *file = fopen(files[i].name, "w");

		if (!file)
			return -1;
		fputs(files[i].text, file);
		fclose(file);
	}
	return mkdir("folder", 0700) + mkfifo("pipe", 0600);
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(files[i].name);
	unlink("pipe");
	return rmdir("folder") + chdir("/") + rmdir(directory);
}

static int check(const char *ca, const char *certificate, const char *key)
{
	const struct gt_otlp_http_options options = {
		.ca_file = ca,
		.certificate_file = certificate,
		.key_file = key,
	};

	said[0] = '\0';
	return otlp_tls_check(&options);
}

static void what_can_be_right_is_taken(void **state)
{
	static const char *const cases[][3] = {
		{NULL, NULL, NULL},      {"cert", NULL, NULL},
		{"trusted", NULL, NULL}, {"both", "cert", "key"},
		{NULL, "cert", "rsa"},   {NULL, "both", NULL},
		{NULL, "both", "both"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(check(cases[i][0], cases[i][1], cases[i][2]),
		                 0);
		assert_string_equal(said, "");
	}
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *ca, *certificate, *key, *words;
	} cases[] = {
		{"none", NULL, NULL, "none: No such file"},
		{"folder", NULL, NULL, "folder: not a file"},
		{"pipe", NULL, NULL, "pipe: not a file"},
		{"key", NULL, NULL, "key: no certificate"},
		{"empty", NULL, NULL, "empty: no certificate"},
		{"der", NULL, NULL, "der: no certificate"},
		{"cut", NULL, NULL, "cut: no certificate"},
		{NULL, "cert", NULL, "cert: a client's certificate needs"},
		{NULL, NULL, "key", "key: a client's key needs"},
		{NULL, "key", "cert", "key: no certificate"},
		{NULL, "none", "key", "none: No such file"},
		{NULL, "cert", "none", "none: No such file"},
		{NULL, "cert", "public", "public: no private key"},
		{NULL, "cert", "cutkey", "cutkey: no private key"},
		{NULL, "cert", "cert", "cert: no private key"},
		{NULL, "cert", "locked", "locked: the key is encrypted"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			check(cases[i].ca, cases[i].certificate, cases[i].key),
			-EINVAL);
		assert_non_null(strstr(said, cases[i].words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_be_right_is_taken),
		cmocka_unit_test(what_is_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
