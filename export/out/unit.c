/* SPDX-License-Identifier: MIT */
#include "unit.h"

bool gt__cut_unit(struct gt_text *key, struct gt_text *ret_unit)
{
	size_t at = key->count;

	if (!at || key->bytes[at - 1] != ']')
		return false;
	while (at && key->bytes[at - 1] != '[')
		at--;
	if (!at || (at > 1 && key->bytes[at - 2] != ' '))
		return false;
	*ret_unit = (struct gt_text){key->bytes + at, key->count - at - 1};
	key->count = at > 1 ? at - 2 : 0;
	return true;
}
