/* SPDX-License-Identifier: MIT */
#ifndef GT_CLI_HELP_TOPICS_H
#define GT_CLI_HELP_TOPICS_H

/* Text on a topic, NULL if there is none; all topics: "filter, ...". */
const char *help_topic(const char *name);
const char *help_topics(void);

#endif
