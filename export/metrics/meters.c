/* SPDX-License-Identifier: MIT */
#include "meters.h"
#include "export/otlp/otlp_attributes.h"
#include "export/otlp/otlp_json_attributes.h"
#include "export/otlp/otlp_protobuf_attributes.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* KeyValues of NumberDataPoint and ExponentialHistogramDataPoint. */
#define NUMBER_ATTRIBUTES      (7u << 3 | 2)
#define EXPONENTIAL_ATTRIBUTES (1u << 3 | 2)

static void free_meter(struct gt__meter *meter)
{
	if (!meter)
		return;
	free((char *)(uintptr_t)meter->name.bytes);
	free(meter);
}

void gt__meters_fini(struct gt__meters *m)
{
	uint32_t i;

	for (i = 0; i < m->series_count; i++) {
		free(m->series[i]->durations);
		free(m->series[i]);
	}
	for (i = 0; i < m->meter_count; i++)
		free_meter(m->meters[i]);
	free(m->series);
	free(m->meters);
	gt__keys_fini(&m->meter_keys);
	gt__keys_fini(&m->series_keys);
	gt__out_fini(&m->scratch);
	gt__out_fini(&m->json_scratch);
}

/* ---- Identities ---------------------------------------------------------- */

static unsigned tag_of(enum gt__metric_kind kind)
{
	return kind == GT__DURATIONS ? EXPONENTIAL_ATTRIBUTES
	                             : NUMBER_ATTRIBUTES;
}

struct labels {
	const struct gt_field *host;
	size_t host_count;
	struct gt__otlp_attributes guest;
};

/* What goes behind others has a comma before it, and a list its `]` behind. */
static void put_json(struct gt__out *o, const struct labels *labels)
{
	size_t from;

	gt__json_host(o, labels->host, labels->host_count, true);
	from = o->used;
	gt__json_attributes(o, &labels->guest);
	if (o->error)
		return;
	o->used--;
	if (labels->host_count || o->used == from)
		return;
	o->used--;
	memmove(o->bytes + from, o->bytes + from + 1, o->used - from);
}

static void put_protobuf(struct gt__out *o, unsigned tag,
                         const struct labels *labels)
{
	unsigned char *p = gt__pb_room(
		o, gt__pb_fields_max(labels->host, labels->host_count) +
			   gt__pb_attributes_max(&labels->guest));

	if (!p)
		return;
	p = gt__pb_host(p, tag, labels->host, labels->host_count);
	gt__pb_end_room(o, gt__pb_attributes(p, tag, &labels->guest));
}

/* What tells two meters apart; behind it, with the attributes, two series. */
static void put_identity(struct gt__out *o, const struct gt__meter_kind *kind)
{
	o->used = 0;
	gt__put_char(o, (char)kind->kind);
	gt__put_bytes(o, kind->unit.bytes, kind->unit.count);
	gt__put_char(o, '\0');
	gt__put_bytes(o, kind->name.bytes, kind->name.count);
	gt__put_char(o, '\0');
}

/* ---- Tables -------------------------------------------------------------- */

static int grow(void *list, uint32_t count, uint32_t *room)
{
	void **at = list;
	uint32_t size = *room ? *room * 2 : 64;
	void *larger;

	if (count < *room)
		return 0;
	larger = realloc(*at, size * sizeof(void *));
	if (!larger)
		return -ENOMEM;
	*at = larger;
	*room = size;
	return 0;
}

static struct gt__meter *new_meter(const struct gt__meter_kind *kind)
{
	struct gt__meter *meter = calloc(1, sizeof *meter);
	char *name = malloc(kind->name.count + kind->unit.count + 1);

	if (!meter || !name) {
		free(meter);
		free(name);
		return NULL;
	}
	memcpy(name, kind->name.bytes, kind->name.count);
	if (kind->unit.count)
		memcpy(name + kind->name.count, kind->unit.bytes,
		       kind->unit.count);
	*meter = (struct gt__meter){
		.name = {name, kind->name.count},
		.unit = {name + kind->name.count, kind->unit.count},
		.description = kind->description,
		.kind = kind->kind,
	};
	meter->last = &meter->series;
	return meter;
}

/* NULL with m->error where there is no memory, or no place for its name. */
static struct gt__meter *find_meter(struct gt__meters *m,
                                    const struct gt__meter_kind *kind,
                                    struct gt_text identity)
{
	struct gt__meter *meter;
	uint32_t number = 0;

	m->error = gt__keys_number(&m->meter_keys, identity, &number);
	if (m->error || !number)
		return NULL;
	if (number <= m->meter_count)
		return m->meters[number - 1];
	m->error = grow(&m->meters, m->meter_count, &m->meter_room);
	meter = m->error ? NULL : new_meter(kind);
	if (!meter) {
		m->error = -ENOMEM;
		return NULL;
	}
	m->meters[m->meter_count++] = meter;
	return meter;
}

static struct gt__series *new_series(struct gt__meters *m,
                                     struct gt__meter *meter,
                                     struct gt_text attributes)
{
	struct gt__series *s = calloc(1, sizeof *s + attributes.count);
	char *to = (char *)(s + 1);

	m->error = s ? grow(&m->series, m->series_count, &m->series_room)
	             : -ENOMEM;
	if (!m->error && meter->kind == GT__DURATIONS) {
		s->durations = malloc(sizeof *s->durations);
		if (s->durations)
			gt__exponential_init(s->durations);
		else
			m->error = -ENOMEM;
	}
	if (m->error) {
		free(s);
		return NULL;
	}
	if (attributes.count)
		memcpy(to, attributes.bytes, attributes.count);
	s->attributes = (struct gt_text){to, attributes.count};
	s->start_ns = m->start_ns;
	m->series[m->series_count++] = s;
	*meter->last = s;
	meter->last = &s->next;
	return s;
}

static bool has_room(const struct gt__meters *m, size_t bytes)
{
	return m->guest_series < GT__SERIES_MAX &&
	       bytes <= GT__SERIES_BYTES_ONE &&
	       GT__SERIES_BYTES_MAX - m->guest_bytes >= bytes;
}

/* As they are sent: as their identity has them, or in JSON. */
static struct gt_text encoded(struct gt__meters *m, struct gt_text attributes,
                              const struct labels *labels)
{
	struct gt__out *o = &m->json_scratch;

	if (!m->json)
		return attributes;
	o->used = 0;
	put_json(o, labels);
	m->error = o->error;
	return (struct gt_text){o->bytes, o->used};
}

static struct gt__series *
find_series(struct gt__meters *m, const struct gt__meter_kind *kind,
            size_t meter_bytes, const struct labels *labels, bool is_guests)
{
	struct gt_text identity = {m->scratch.bytes, m->scratch.used};
	struct gt_text attributes = {identity.bytes + meter_bytes,
	                             identity.count - meter_bytes};
	struct gt__meter *meter;
	struct gt__series *series;
	uint32_t number = gt__keys_find(&m->series_keys, identity);

	if (number)
		return m->series[number - 1];
	if (is_guests && !has_room(m, identity.count))
		return NULL;
	meter = find_meter(m, kind,
	                   (struct gt_text){identity.bytes, meter_bytes});
	if (!meter)
		return NULL;
	attributes = encoded(m, attributes, labels);
	if (m->error)
		return NULL;
	m->error = gt__keys_number(&m->series_keys, identity, &number);
	if (m->error || !number)
		return NULL;
	series = new_series(m, meter, attributes);
	if (series && is_guests) {
		m->guest_series++;
		m->guest_bytes += identity.count;
	}
	return series;
}

/* The same identity in each encoding, so that all have the same series. */
struct gt__series *gt__meters_series(struct gt__meters *m,
                                     const struct gt__meter_kind *kind,
                                     const struct gt_field *host,
                                     size_t host_count,
                                     const struct gt_field *guest,
                                     size_t guest_count, bool is_guests)
{
	const struct labels labels = {
		host, host_count, {.guest = guest, .guest_count = guest_count}};
	size_t meter_bytes;

	if (m->error)
		return NULL;
	put_identity(&m->scratch, kind);
	meter_bytes = m->scratch.used;
	put_protobuf(&m->scratch, tag_of(kind->kind), &labels);
	m->error = m->scratch.error;
	return m->error ? NULL
	                : find_series(m, kind, meter_bytes, &labels, is_guests);
}
