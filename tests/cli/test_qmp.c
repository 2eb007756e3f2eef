/* SPDX-License-Identifier: MIT */
/*
 * What QEMU answers, and what it might: the objects of its protocol, and the
 * lines of its human monitor. Threat F14.
 */
#include "cli/attach_qmp.h"
#include "cli/qmp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* In memory of its own length, which the sanitizer watches. */
static int read_bytes(const char *bytes, size_t count, enum qmp_kind *kind,
                      struct qmp_answer *answer, char **ret_copy)
{
	char *copy = malloc(count ? count : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, count);
	*ret_copy = copy;
	return qmp_read(copy, count, kind, answer);
}

static int read_object(const char *text, enum qmp_kind *kind,
                       struct qmp_answer *answer, char **copy)
{
	return read_bytes(text, strlen(text), kind, answer, copy);
}

static void each_object_is_known_by_its_member(void **state)
{
	static const struct {
		const char *text;
		enum qmp_kind kind;
	} objects[] = {
		{"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 19}}, "
	         "\"capabilities\": [\"oob\"]}}",
	         QMP_GREETING},
		{"{\"return\": {}}", QMP_RETURN},
		{"{\"return\": [1, -2.5e3, true, null, {\"a\": \"}\"}]}",
	         QMP_RETURN},
		{"{\"error\": {\"class\": \"GenericError\", \"desc\": "
	         "\"\\\"no\\\"\"}}",
	         QMP_ERROR},
		{"{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, "
	         "\"event\": \"RESUME\"}",
	         QMP_OTHER},
		{"{}", QMP_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		enum qmp_kind kind = 99;
		struct qmp_answer answer;
		char *copy;

		assert_int_equal(
			read_object(objects[i].text, &kind, &answer, &copy), 0);
		assert_int_equal(kind, objects[i].kind);
		free(copy);
	}
}

static void what_was_returned_is_read(void **state)
{
	enum qmp_kind kind;
	struct qmp_answer answer;
	char *copy;

	(void)state;
	assert_int_equal(read_object("{\"return\": {\"status\": \"prelaunch\", "
	                             "\"running\": false}}",
	                             &kind, &answer, &copy),
	                 0);
	assert_int_equal(answer.status.count, 9);
	assert_memory_equal(answer.status.bytes, "prelaunch", 9);
	free(copy);
	assert_int_equal(
		read_object("{\"return\": {\"base-memory\": 4831838208, "
	                    "\"plugged-memory\": 0}}",
	                    &kind, &answer, &copy),
		0);
	assert_true(answer.base_memory == UINT64_C(4831838208));
	free(copy);
	assert_int_equal(read_object("{\"return\": \"a\\r\\nb\", \"id\": 1}",
	                             &kind, &answer, &copy),
	                 0);
	assert_int_equal(answer.text.count, 4);
	assert_memory_equal(answer.text.bytes, "a\r\nb", 4);
	free(copy);
}

static void what_is_no_object_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"return\"}",
		"{\"return\":}",
		"{\"return\": {\"base-memory\": -1}}",
		"{\"return\": {\"base-memory\": 18446744073709551616}}",
		"{\"return\": {\"a\": [}}",
		"{\"return\": \"a",
		"{\"return\": {}} {}",
		"{\"a\": [[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]}",
	};
	enum qmp_kind kind;
	struct qmp_answer answer;
	char *copy;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(read_object(texts[i], &kind, &answer, &copy),
		                 -EPROTO);
		free(copy);
	}
}

/* Cut anywhere, or with any byte anything: refused or harmless. */
static void f14_any_changed_byte_is_harmless(void **state)
{
	static const char text[] =
		"{\"timestamp\": {\"seconds\": 1}, \"return\": {\"status\": "
		"\"ru\\u006e\", \"a\": [1, {\"b\": null}], \"base-memory\": "
		"64}}";
	char changed[sizeof(text)];
	enum qmp_kind kind;
	struct qmp_answer answer;
	char *copy;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		assert_int_equal(read_bytes(text, i, &kind, &answer, &copy),
		                 -EPROTO);
		free(copy);
		for (unsigned byte = 0; byte < 256; byte++) {
			memcpy(changed, text, sizeof(text));
			changed[i] = (char)byte;
			read_bytes(changed, sizeof(text) - 1, &kind, &answer,
			           &copy);
			free(copy);
		}
	}
}

static uint64_t root_of(const char *text)
{
	return attach_qmp_root(text, strlen(text));
}

static uint64_t address_of(const char *text)
{
	return attach_qmp_address(text, strlen(text));
}

static void a_root_is_one_of_64_bit_mode(void **state)
{
	(void)state;
	/* As QEMU 7.2 prints them. */
	assert_true(root_of("CR0=80050033 CR2=00007f3c CR3=000000000a2b4006 "
	                    "CR4=000006f0\r\nDR0=0\r\nEFER=0000000000000d01"
	                    "\r\n") == 0xa2b4000);
	/* With 5 levels, and of another process in its PCID. */
	assert_true(root_of("CR0=80050033 CR3=8000000123456fff CR4=00021ef0 "
	                    "EFER=0d01") == 0x123456000);
	assert_true(root_of("CR0=00000011 CR3=1000 CR4=000006f0 EFER=0d01") ==
	            0);
	assert_true(root_of("CR0=80000011 CR3=1000 CR4=00000000 EFER=0d01") ==
	            0);
	assert_true(root_of("CR0=80000011 CR3=1000 CR4=000006f0 EFER=0000") ==
	            0);
	assert_true(root_of("CR0=80000011 CR3=11112222333344445 CR4=6f0 "
	                    "EFER=0d01") == 0);
	assert_true(root_of("CR0= CR3= CR4= EFER=") == 0);
	assert_true(root_of("CR") == 0);
	assert_true(root_of("") == 0);
}

static void an_address_is_that_of_a_page(void **state)
{
	(void)state;
	assert_true(address_of("Host virtual address for 0x0 (pc.ram) is "
	                       "0x7f3c1c000000\r\n") == 0x7f3c1c000000);
	assert_true(address_of("No memory is mapped at address "
	                       "0x100000000\r\n") == 0);
	assert_true(address_of("Memory at address 0xa0000 is not RAM\r\n") ==
	            0);
	assert_true(address_of(" is 0x7f3c1c000001") == 0);
	assert_true(address_of(" is 0x") == 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_object_is_known_by_its_member),
		cmocka_unit_test(what_was_returned_is_read),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(f14_any_changed_byte_is_harmless),
		cmocka_unit_test(a_root_is_one_of_64_bit_mode),
		cmocka_unit_test(an_address_is_that_of_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
