/* SPDX-License-Identifier: MIT */
/*
 * How the command sends OTLP: OpenTelemetry's environment variables, then the
 * command line, as options of gt_otlp_http_new(). docs/otlp.md lists them.
 */
#ifndef GT_CLI_OTLP_SETTINGS_H
#define GT_CLI_OTLP_SETTINGS_H

#include <guesttrace/export_otlp.h>

#define OTLP_PAIRS_MAX      64 /* of one variable: headers; attributes */
/* With service.name, and with what is preferred. */
#define OTLP_ATTRIBUTES_MAX (OTLP_PAIRS_MAX + 2)

struct otlp_settings {
	struct gt_otlp_http_options options;
	bool disabled; /* OTEL_SDK_DISABLED */
	/* What the options point to. */
	char *url;
	char *attributes_text;
	char *headers[OTLP_PAIRS_MAX];
	struct gt_otlp_attribute attributes[OTLP_ATTRIBUTES_MAX];
};

/*
 * `url`: of the command line, or NULL. A variable that is empty counts as not
 * set; one that cannot be understood is complained about and ignored. Returns
 * 0, or after complaining -ENOMEM, or -EINVAL for a `url` without a scheme.
 */
int otlp_settings_read(struct otlp_settings *settings,
                       enum gt_otlp_signal signal, const char *url);

/*
 * For the resource, once: wins over what was read. `given` is referred to, not
 * copied.
 */
void otlp_settings_prefer(struct otlp_settings *settings,
                          const struct gt_otlp_attribute *given);

void otlp_settings_free(struct otlp_settings *settings);

#endif
