/* SPDX-License-Identifier: MIT */
/*
 * The verifier that flatc makes of the schemas, on batches: prints the first
 * that it refuses and exits with 1.
 *
 *   hyperlight_verify hyperlight-0.11|hyperlight-0.12 FILE...
 */
#include "wire11_generated.h"
#include "wire12_generated.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace
{

using Bytes = std::vector<uint8_t>;

bool is_good_0_11(const Bytes &batch)
{
	flatbuffers::Verifier verifier(batch.data(), batch.size());

	return verifier.VerifySizePrefixedBuffer<wire11::GuestTraceDataType>(
		nullptr);
}

/* A copy of each event: one that reaches into the next is refused. */
bool is_good_0_12(const Bytes &batch)
{
	size_t at = 0;

	while (batch.size() - at >= 4) {
		uint32_t size;

		std::memcpy(&size, &batch[at], sizeof(size));
		if (size > batch.size() - at - 4)
			return false;
		Bytes event(batch.begin() + (long)at,
		            batch.begin() + (long)(at + 4 + size));
		flatbuffers::Verifier verifier(event.data(), event.size());

		if (!verifier.VerifySizePrefixedBuffer<
			    wire12::GuestEventEnvelopeType>(nullptr))
			return false;
		at += 4 + size;
	}
	return at == batch.size();
}

} // namespace

int main(int argc, char **argv)
{
	bool is_0_11 = argc > 1 && std::string(argv[1]) == "hyperlight-0.11";

	for (int i = 2; i < argc; i++) {
		std::ifstream file(argv[i], std::ios::binary);
		Bytes batch{std::istreambuf_iterator<char>(file), {}};

		if (file &&
		    (is_0_11 ? is_good_0_11(batch) : is_good_0_12(batch)))
			continue;
		std::printf("%s is refused\n", argv[i]);
		return 1;
	}
	return argc > 2 ? 0 : 2;
}
