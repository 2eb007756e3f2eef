/* SPDX-License-Identifier: MIT */
#include <guesttrace/keyed_hash.h>

#include <string.h>
#include <sys/auxv.h>

/*
 * The kernel gives each process 16 random bytes. Others use them as they are,
 * such as for stack protectors: what is kept here is but made of them.
 */
struct gt__hash_key gt__hash_key(void)
{
	const void *random = (const void *)getauxval(AT_RANDOM);
	struct gt__hash_key given = {(uintptr_t)&given,
	                             (uintptr_t)gt__hash_key};

	if (random)
		memcpy(&given, random, sizeof(given));
	return (struct gt__hash_key){gt__hash_word(&given, 0),
	                             gt__hash_word(&given, 1)};
}
