/* SPDX-License-Identifier: MIT */
/*
 * Symbols and DWARF of a guest's image, whatever they are: a text in which
 * addresses are named stays what it was but for what is put in, and fits.
 */
#include "cli/code_names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static const char said[] = "fault at 0x401000, by 0x401008 from "
				   "0x40100f and 0x401020, 0x401030";
	struct code_names names = {malloc(count + !count), count};
	char *text = malloc(256);

	if (!names.image || !text)
		abort();
	memcpy(names.image, bytes, count);
	memcpy(text, said, sizeof(said));
	code_names_put(&names, text, count % 2 ? 256 : sizeof(said) + 20);
	if (strlen(text) >= (count % 2 ? 256 : sizeof(said) + 20))
		abort();
	if (strncmp(text, said, strlen("fault at 0x401000")) != 0)
		abort();
	free(text);
	code_names_close(&names);
	return 0;
}
