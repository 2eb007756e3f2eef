/* SPDX-License-Identifier: MIT */
/*
 * The decoder beside the C++ reader and verifier that flatc makes of the
 * schemas, on the vectors and on each changed byte of them: what the decoder
 * accepts, the verifier accepts, and both read the same. The decoder may be
 * stricter, for the reasons in `is_stricter`.
 *
 * To the verifier's checks are added those that Hyperlight's reader makes and
 * the C++ one leaves out: UTF-8, and a union whose type and value are both
 * there and known. Documented leniencies: the size prefix of 0.11 and what
 * follows its buffer, and fewer than four bytes behind the last one of 0.12.
 *
 * Usage: test_hyperlight_oracle VECTORS
 */
extern "C" {
#include <guesttrace/host.h>
}
#include "wire11_generated.h"
#include "wire12_generated.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iconv.h>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace
{

using Bytes = std::vector<uint8_t>;
using Lines = std::vector<std::string>;

iconv_t to_utf32;

/* ---- What both sides say of an event ---- */

std::string number(uint64_t value)
{
	return " " + std::to_string(value);
}

std::string quoted(const char *bytes, size_t count)
{
	return " " + std::to_string(count) + ":" + std::string(bytes, count);
}

/* ---- The decoder ---- */

std::string text(struct gt_text text)
{
	return quoted(text.bytes, text.count);
}

int show(void *context, const struct gt_hyperlight_event *event)
{
	std::string line;

	switch (event->kind) {
	case GT_HYPERLIGHT_OPEN:
		line = "open" + number(event->id) +
		       (event->has_parent ? number(event->parent) : " none") +
		       text(event->name) + text(event->target) +
		       number(event->tsc);
		break;
	case GT_HYPERLIGHT_CLOSE:
		line = "close" + number(event->id) + number(event->tsc);
		break;
	case GT_HYPERLIGHT_LOG:
		line = "log" + number(event->parent) + text(event->name) +
		       number(event->tsc);
		break;
	case GT_HYPERLIGHT_EDIT:
		line = "edit" + number(event->id);
		break;
	case GT_HYPERLIGHT_START:
		line = "start" + number(event->tsc);
		break;
	}
	for (uint32_t i = 0; i < event->field_count; i++) {
		struct gt_hyperlight_field field =
			gt_hyperlight_field(event, i);

		line += text(field.key) + text(field.value);
	}
	static_cast<Lines *>(context)->push_back(line);
	return 0;
}

/* ---- The oracle: false, or all events of the batch ---- */

bool is_utf8(const flatbuffers::String *string)
{
	char *from = const_cast<char *>(string->c_str());
	size_t left = string->size(), room;
	char to[256];

	iconv(to_utf32, nullptr, nullptr, nullptr, nullptr);
	while (left > 0) {
		char *at = to;

		room = sizeof(to);
		if (iconv(to_utf32, &from, &left, &at, &room) == size_t(-1) &&
		    errno != E2BIG)
			return false;
	}
	return true;
}

bool put(std::string &line, const flatbuffers::String *string)
{
	if (!is_utf8(string))
		return false;
	line += quoted(string->c_str(), string->size());
	return true;
}

template <typename Fields>
bool put_fields(std::string &line, const Fields *fields)
{
	if (!fields)
		return true;
	for (const auto *field : *fields)
		if (!put(line, field->key()) || !put(line, field->value()))
			return false;
	return true;
}

template <typename Open> bool put_open(std::string &line, const Open *open)
{
	line = "open" + number(open->id()) +
	       (open->parent() ? number(*open->parent()) : " none");
	if (!put(line, open->name()) || !put(line, open->target()))
		return false;
	line += number(open->tsc());
	return put_fields(line, open->fields());
}

template <typename Close> bool put_close(std::string &line, const Close *close)
{
	line = "close" + number(close->id()) + number(close->tsc());
	return true;
}

template <typename Log> bool put_log(std::string &line, const Log *log)
{
	line = "log" + number(log->parent_id());
	if (!put(line, log->name()))
		return false;
	line += number(log->tsc());
	return put_fields(line, log->fields());
}

bool put_event(std::string &line,
               const wire11::GuestEventEnvelopeType *envelope)
{
	using Type = wire11::GuestEventType;

	if (!envelope->event())
		return false;
	switch (envelope->event_type()) {
	case Type::OpenSpanType:
		return put_open(line, envelope->event_as_OpenSpanType());
	case Type::CloseSpanType:
		return put_close(line, envelope->event_as_CloseSpanType());
	case Type::LogEventType:
		return put_log(line, envelope->event_as_LogEventType());
	default:
		return false;
	}
}

bool put_event(std::string &line,
               const wire12::GuestEventEnvelopeType *envelope)
{
	using Type = wire12::GuestEventType;

	if (!envelope->event())
		return false;
	switch (envelope->event_type()) {
	case Type::OpenSpanType:
		return put_open(line, envelope->event_as_OpenSpanType());
	case Type::CloseSpanType:
		return put_close(line, envelope->event_as_CloseSpanType());
	case Type::LogEventType:
		return put_log(line, envelope->event_as_LogEventType());
	case Type::EditSpanType: {
		const auto *edit = envelope->event_as_EditSpanType();

		line = "edit" + number(edit->id());
		return put_fields(line, edit->fields());
	}
	case Type::GuestStartType:
		line = "start" +
		       number(envelope->event_as_GuestStartType()->tsc());
		return true;
	default:
		return false;
	}
}

/* The verifier wants the right prefix; Hyperlight does not look at it. */
bool oracle_11(Bytes batch, Lines &lines)
{
	uint32_t prefix = uint32_t(batch.size()) - 4;

	if (batch.size() < 8)
		return false;
	std::memcpy(batch.data(), &prefix, sizeof(prefix));
	flatbuffers::Verifier verifier(batch.data(), batch.size());
	if (!wire11::VerifySizePrefixedGuestTraceDataTypeBuffer(verifier))
		return false;
	const auto *root =
		wire11::GetSizePrefixedGuestTraceDataType(batch.data());
	lines.push_back("start" + number(root->start_tsc()));
	if (!root->events())
		return true;
	for (const auto *envelope : *root->events()) {
		lines.emplace_back();
		if (!put_event(lines.back(), envelope))
			return false;
	}
	return true;
}

bool oracle_12(const Bytes &batch, Lines &lines)
{
	size_t at = 0;

	while (batch.size() - at >= 4) {
		uint32_t prefix;

		std::memcpy(&prefix, batch.data() + at, sizeof(prefix));
		if (prefix > batch.size() - at - 4 || prefix < 4)
			return false;
		Bytes one(batch.begin() + long(at),
		          batch.begin() + long(at + 4 + prefix));
		flatbuffers::Verifier verifier(one.data(), one.size());
		if (!wire12::VerifySizePrefixedGuestEventEnvelopeTypeBuffer(
			    verifier))
			return false;
		lines.emplace_back();
		if (!put_event(lines.back(),
		               wire12::GetSizePrefixedGuestEventEnvelopeType(
				       one.data())))
			return false;
		at += 4 + prefix;
	}
	return true;
}

/* ---- Both ---- */

/* Checks that the verifier does not make, and limits that it does not have. */
bool is_stricter(int code)
{
	switch (-code) {
	case GT_ERROR_TABLE_SIZE:
	case GT_ERROR_TABLE_OUTSIDE:
	case GT_ERROR_VTABLE_SIZE:
	case GT_ERROR_VTABLE_OVERLAPS:
	case GT_ERROR_FIELD_OUTSIDE:
	case GT_ERROR_OVER_VISITS:
	case GT_ERROR_OVER_OUTPUT:
		return true;
	default:
		return false;
	}
}

struct Counts {
	unsigned long both = 0, neither = 0, stricter = 0, wrong = 0;
};

void complain(const char *what, const std::string &name, size_t at, int r)
{
	std::printf("# %s: byte %zu changed: %s (%s)\n", name.c_str(), at, what,
	            gt_error_text(r));
}

void compare(enum gt_wire wire, const Bytes &batch, const std::string &name,
             size_t at, Counts &counts)
{
	struct gt_hyperlight_result result;
	Lines ours, theirs;
	int r = gt_hyperlight_decode(wire, batch.data(), batch.size(), nullptr,
	                             show, &ours, &result);
	bool is_good = r == 0 && result.unknown == 0;
	bool is_valid = wire == GT_WIRE_HYPERLIGHT_0_11
	                        ? oracle_11(batch, theirs)
	                        : oracle_12(batch, theirs);

	if (is_good && !is_valid) {
		complain("accepted, but invalid", name, at, r);
		counts.wrong++;
	} else if (!is_good && is_valid && !is_stricter(r)) {
		complain("refused, but valid", name, at, r);
		counts.wrong++;
	} else if (is_good && ours != theirs) {
		complain("read differently", name, at, r);
		counts.wrong++;
	} else if (is_good) {
		counts.both++;
	} else if (is_valid) {
		counts.stricter++;
	} else {
		counts.neither++;
	}
}

Bytes read_file(const std::string &path)
{
	std::ifstream file(path, std::ios::binary);

	return Bytes(std::istreambuf_iterator<char>(file), {});
}

/* All values of each byte of a small file, some of a larger one. */
void change_bytes(enum gt_wire wire, Bytes batch, const std::string &name,
                  Counts &counts)
{
	unsigned step = batch.size() <= 256 ? 1 : 37;

	for (size_t at = 0; at < batch.size(); at++) {
		uint8_t was = batch[at];

		for (unsigned change = 1; change < 256; change += step) {
			batch[at] = uint8_t(was + change);
			compare(wire, batch, name, at, counts);
		}
		batch[at] = was;
	}
}

void truncate(enum gt_wire wire, const Bytes &batch, const std::string &name,
              Counts &counts)
{
	for (size_t count = 0; count < batch.size(); count++)
		compare(wire, Bytes(batch.begin(), batch.begin() + long(count)),
		        name, count, counts);
}

/* A few bytes at a time, the same ones in every run. */
void change_several(enum gt_wire wire, const Bytes &good,
                    const std::string &name, Counts &counts)
{
	static const uint8_t values[] = {0, 1, 2, 4, 8, 0x7f, 0x80, 0xff};
	std::minstd_rand random(1);

	for (unsigned i = 0; i < 5000; i++) {
		Bytes batch = good;
		size_t at = 0;

		for (unsigned k = 2 + random() % 3; k > 0; k--) {
			at = random() % batch.size();
			batch[at] = values[random() % sizeof(values)];
		}
		compare(wire, batch, name, at, counts);
	}
}

unsigned test_count, failed_count;

void report(const std::string &what, bool holds)
{
	std::printf("%s %u - %s\n", holds ? "ok" : "not ok", ++test_count,
	            what.c_str());
	failed_count += !holds;
}

void test_file(enum gt_wire wire, const std::string &directory,
               const std::string &name)
{
	std::string label =
		(wire == GT_WIRE_HYPERLIGHT_0_11 ? "0.11/" : "0.12/") + name;
	Bytes batch = read_file(directory + "/hyperlight-" +
	                        label.substr(0, 5) + name + ".bin");
	Counts whole, changed, several, cut;

	compare(wire, batch, label, 0, whole);
	report("the verifier reads the same in " + label,
	       !batch.empty() && whole.both == 1);
	change_bytes(wire, batch, label, changed);
	std::printf("# %lu accepted by both, %lu by neither, %lu refused that "
	            "the verifier accepts\n",
	            changed.both, changed.neither, changed.stricter);
	report("no changed byte of " + label + " is judged more mildly",
	       changed.wrong == 0);
	change_several(wire, batch, label, several);
	report("no few changed bytes of " + label + " are judged more mildly",
	       several.wrong == 0);
	truncate(wire, batch, label, cut);
	report("no truncation of " + label + " is judged more mildly",
	       cut.wrong == 0);
}

} // namespace

int main(int argc, char **argv)
{
	static const char *const in_11[] = {
		"empty",       "close",       "log_min",       "open_min",
		"parent_zero", "parent_null", "open_fields_1", "log_fields_2",
		"utf8",        "nested",      "u64max",
	};
	static const char *const in_12[] = {
		"start",         "start_zero",   "edit_min",    "close",
		"log_min",       "open_min",     "parent_zero", "open_fields_1",
		"edit_fields_2", "log_fields_2", "utf8",        "nested",
		"u64max",
	};

	if (argc != 2)
		return 2;
	to_utf32 = iconv_open("UTF-32LE", "UTF-8");
	for (const char *name : in_11)
		test_file(GT_WIRE_HYPERLIGHT_0_11, argv[1], name);
	for (const char *name : in_12)
		test_file(GT_WIRE_HYPERLIGHT_0_12, argv[1], name);
	iconv_close(to_utf32);
	std::printf("1..%u\n", test_count);
	return failed_count != 0;
}
