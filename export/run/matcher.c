/* SPDX-License-Identifier: MIT */
#include "matcher.h"
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

void gt__matcher_fini(struct gt__matcher *m)
{
	free(m->text);
}

bool gt__matches(struct gt__matcher *m, const struct gt_site_view *site)
{
	size_t count = site->name.count;
	char *larger;

	if (!m->pattern)
		return true;
	if (site == m->site)
		return m->matches;
	if (count >= m->size) {
		larger = realloc(m->text, count + 1);
		if (!larger)
			return false;
		m->text = larger;
		m->size = count + 1;
	}
	if (count)
		memcpy(m->text, site->name.bytes, count);
	m->text[count] = '\0';
	m->site = site;
	m->matches = fnmatch(m->pattern, m->text, 0) == 0;
	return m->matches;
}

bool gt__name_matches(const char *pattern, struct gt_text name)
{
	const struct gt_site_view site = {.name = name};
	struct gt__matcher m = {.pattern = pattern};
	bool found = gt__matches(&m, &site);

	gt__matcher_fini(&m);
	return found;
}
