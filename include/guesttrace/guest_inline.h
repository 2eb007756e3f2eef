/* SPDX-License-Identifier: MIT */
/*
 * What guest.h is made of: the part of recording that happens at the call site.
 * Included by guest.h alone; nothing here is for direct use.
 */
#ifndef GUESTTRACE_GUEST_INLINE_H
#define GUESTTRACE_GUEST_INLINE_H

/* clang-format off */
#define GT_INSTANT_(site_kind, record_kind, level, ...)                        \
	do {                                                                   \
		GT_LEVELED_SITE_(gt_site_, site_kind, level, __VA_ARGS__);     \
		const uint8_t gt_state_ = GT_STATE_(gt_site_, level);          \
		if (__builtin_expect(gt_state_, 0))                            \
			GT_PUT_(record_kind, gt_site_,                         \
				gt_state_ == GT_SITE_OUT_OF_LINE, NULL, 0, 0,  \
				(void)0, __VA_ARGS__)                          \
	} while (0)

#define GT_LEVELED_SITE_(sym, kind, level, ...)                                \
	GT_STATIC_ASSERT_((level) >= GT_ERROR && (level) <= GT_TRACE,          \
			  "a site has a level from GT_ERROR to GT_TRACE");        \
	GT_SITE_(sym, kind, level, GT_SITE_OFF, __VA_ARGS__)

/* The static record. `volatile`, or the compiler folds the state to "off". */
#define GT_SITE_(sym, kind, level, state, ...)                                 \
	GT_STATIC_ASSERT_(GT_COUNT_(__VA_ARGS__) <= GT_SITE_FIELDS_MAX,        \
			  "a site takes up to GT_SITE_FIELDS_MAX (16) fields");\
	static struct {                                                        \
		struct gt_site head;                                           \
		char text[sizeof(GT_SITE_TEXT_(__VA_ARGS__))];                 \
		GT_FUNCTION_MEMBER_                                            \
	} sym __attribute__((section("gt_sites"), aligned(GT_SITE_ALIGN))) = { \
		{state, kind, level, GT_COUNT_(__VA_ARGS__), sizeof(sym),      \
		 GT_FUNCTION_FLAG_, GT_SITE_MAGIC, __LINE__},                  \
		GT_SITE_TEXT_(__VA_ARGS__) GT_FUNCTION_}
/* An address: the one thing in a site that a loader may have to relocate. */
#ifdef GT_NO_FUNCTION
#define GT_FUNCTION_MEMBER_
#define GT_FUNCTION_FLAG_ 0
#define GT_FUNCTION_
#else
#define GT_FUNCTION_MEMBER_ const char *function;
#define GT_FUNCTION_FLAG_ GT_SITE_FUNCTION
#define GT_FUNCTION_ , __func__
#endif
#define GT_SITE_TEXT_(...)                                                     \
	GT_FIRST_(__VA_ARGS__, ~) "\0" GT_TARGET "\0" __FILE__ "\0"            \
		GT_MAP_(GT_TEXT_, __VA_ARGS__)
/*
 * Code that can only lie in the low 2 GiB has the address and the rest of a
 * record's head in one constant, as there is nothing to cut off.
 */
#if defined(__code_model_small__) && !defined(__PIC__)
#define GT_SITE_ID_(sym) ((uint64_t)(uintptr_t)&(sym))
#else
#define GT_SITE_ID_(sym) ((uint64_t)(uint32_t)(uintptr_t)&(sym))
#endif
#define GT_STATE_(sym, level)                                                  \
	((level) <= GT_LEVEL_MAX ?                                             \
	 *(const volatile uint8_t *)&(sym).head.state : (uint8_t)GT_SITE_OFF)

/*
 * A thread keeps its vCPU from GT_HOLD_() to GT_RELEASE_(), if it can be told so,
 * and asks only then which one that is. The library's gt_init() has another name
 * for each setting: one guest is not built with two.
 */
#ifdef GT_ENTER
#ifdef GT_PREEMPTIBLE
#error "GT_ENTER or GT_PREEMPTIBLE, not both"
#endif
#define gt__init gt__init_held
#define GT_HOLD_(vcpu)                                                         \
	GT_ENTER();                                                            \
	gt__barrier();                                                         \
	(vcpu) = GT_THIS_VCPU()
#define GT_RELEASE_()                                                          \
	gt__barrier();                                                         \
	GT_LEAVE()
#else
#ifdef GT_PREEMPTIBLE
#define gt__init gt__init_preemptible
#endif
#define GT_HOLD_(vcpu) ((vcpu) = (vcpu))
#define GT_RELEASE_() ((void)0)
#endif

/*
 * One record: values first, then take, stores, publish. `extra` bytes lie
 * between the head and the values; `statement` runs with the ring taken. `far`:
 * no ring, an encoder gets the values, behind the id of the span they are of.
 * Of `span`, to be opened, and `span_id`, of an open one, at most one is not 0.
 */
#ifdef GT_OUT_OF_LINE
#define GT_PUT_(record_kind, sym, far, span, span_id, extra, statement, ...)   \
	{                                                                      \
		uint32_t gt_shape_ = (record_kind) << GT_SHAPE_BITS_;          \
		uint32_t gt_next_ = 1;                                         \
		GT_MAP_(GT_LOCAL_, __VA_ARGS__)                                \
		GT_MAP_(GT_SHAPE_, __VA_ARGS__)                                \
		gt__record((sym).text, gt_shape_ | gt_next_,                   \
			   (uint64_t)(uintptr_t)(span) + (span_id)             \
				   GT_MAP_(GT_ARGUMENT_, __VA_ARGS__));        \
	}
#define GT_FIT_(text) text
#else
#define GT_PUT_(record_kind, sym, far, span, span_id, extra, statement, ...)   \
	{                                                                      \
		struct gt_vcpu *gt_vcpu_ = GT_THIS_VCPU();                     \
		struct gt__room gt_room_ = {gt_vcpu_->text_bytes_max, 0};      \
		GT_MAP_(GT_LOCAL_, __VA_ARGS__)                                \
		if (__builtin_expect(far, 0)) {                                \
			const uint64_t gt_arguments_[] = {                     \
				span_id GT_MAP_(GT_ARGUMENT_, __VA_ARGS__)};   \
			gt__out_of_line(record_kind, (sym).text, span,         \
					gt_arguments_);                        \
			break;                                                 \
		}                                                              \
		GT_HOLD_(gt_vcpu_);                                            \
		const uint64_t gt_bytes_ = GT_RECORD_BYTES + (extra)           \
			GT_MAP_(GT_BYTES_, __VA_ARGS__);                       \
		const struct gt__slot gt_slot_ = gt__take(gt_vcpu_, gt_bytes_);\
		if (gt_slot_.ring) {                                           \
			volatile uint64_t *gt_at_ =                            \
				gt__head(gt_slot_, GT_SITE_ID_(sym),           \
					 record_kind, gt_room_.cut, gt_bytes_);\
			statement;                                             \
			gt_at_ += (extra) / 8;                                 \
			GT_MAP_(GT_STORE_, __VA_ARGS__)                        \
			(void)gt_at_;                                          \
			gt__publish(gt_slot_, gt_bytes_);                      \
		}                                                              \
		GT_RELEASE_();                                                 \
	}
#define GT_FIT_(text) gt__fit(text, &gt_room_, gt_vcpu_)
#endif

/*
 * A field word pastes into `letter "key"` for the site and into a form with its
 * argument for the record. GT_TEXT_, GT_LOCAL_, GT_BYTES_, GT_STORE_,
 * GT_ARGUMENT_ and GT_SHAPE_ get the number of the field, which names its local. An encoder's
 * arguments are words; a text is two of them, address and lengths. The shape of a
 * record has a bit for each value, from the lowest on, 1 for a text, one more 1
 * behind the last value, and its kind on top.
 */
#define GT_SHAPE_BITS_ 24
#define GT_FIELD_gt_u64(key, v)      "u" key, GT_WORD_, (v)
#define GT_FIELD_gt_i64(key, v)      "i" key, GT_WORD_, gt__i64(v)
#define GT_FIELD_gt_f64(key, v)      "f" key, GT_F64_, (v)
#define GT_FIELD_gt_bool(key, v)     "b" key, GT_WORD_, ((v) ? 1u : 0u)
#define GT_FIELD_gt_ptr(key, v)      "p" key, GT_WORD_, gt__pointer(v)
#define GT_FIELD_gt_str(key, s)      "s" key, GT_TEXT_, gt__string(s)
#define GT_FIELD_gt_strn(key, s, n)  "s" key, GT_TEXT_, gt__text(s, n)
#define GT_FIELD_gt_bytes(key, p, n) "x" key, GT_TEXT_, gt__text(p, n)
#define GT_FIELD_gt_parent(s)        "^", GT_WORD_, (s).id
#define GT_FIELD_gt_root()           "^", GT_WORD_, 0
#define GT_FIELD_gt_parent_id(id)    "^", GT_WORD_, (id)
#define GT_FIELD_gt_link_id(id)      "&", GT_WORD_, (id)
#define GT_FIELD_gt_link(s)          "&", GT_WORD_, (s).id
#define GT_FIELD_gt_link_remote(s)   "@", GT_TEXT_, gt__string(s)
/* Fields of convention, which are named alike on all wires. */
#define GT_FIELD_gt_kind(word)       "sotel.kind", GT_TEXT_, gt__string(word)
#define GT_FIELD_gt_parent_remote(s) "straceparent", GT_TEXT_, gt__string(s)
#define GT_FIELD_gt_parent_state(s)  "stracestate", GT_TEXT_, gt__string(s)
#define GT_FIELD_gt_new_trace()      "botel.new_root", GT_WORD_, 1u
#define GT_FIELD_gt_ok()             ".", GT_NONE_, 0
#define GT_FIELD_gt_error(s)         "!", GT_TEXT_, gt__string(s)

#define GT_TEXT_(i, field)  GT_CALL_(GT_TEXT_OF_, i, GT_FIELD_##field)
#define GT_LOCAL_(i, field) GT_CALL_(GT_LOCAL_OF_, i, GT_FIELD_##field)
#define GT_BYTES_(i, field) GT_CALL_(GT_BYTES_OF_, i, GT_FIELD_##field)
#define GT_STORE_(i, field) GT_CALL_(GT_STORE_OF_, i, GT_FIELD_##field)
#define GT_ARGUMENT_(i, field) GT_CALL_(GT_ARGUMENT_OF_, i, GT_FIELD_##field)
#define GT_SHAPE_(i, field) GT_CALL_(GT_SHAPE_OF_, i, GT_FIELD_##field)
#define GT_CALL_(m, ...) m(__VA_ARGS__)
#define GT_TEXT_OF_(i, text, form, v)  text "\0"
#define GT_LOCAL_OF_(i, text, form, v) GT_LOCAL_##form(i, v)
#define GT_BYTES_OF_(i, text, form, v) GT_BYTES_##form(i)
#define GT_STORE_OF_(i, text, form, v) GT_STORE_##form(i)
#define GT_ARGUMENT_OF_(i, text, form, v) GT_ARGUMENT_##form(i)
#define GT_SHAPE_OF_(i, text, form, v) GT_SHAPE_##form

#define GT_LOCAL_GT_WORD_(i, v) const uint64_t gt_v##i##_ = v;
#define GT_BYTES_GT_WORD_(i)    + 8u
#define GT_STORE_GT_WORD_(i)    *gt_at_++ = gt_v##i##_;
#define GT_ARGUMENT_GT_WORD_(i) , gt_v##i##_
#define GT_SHAPE_GT_WORD_       gt_next_ <<= 1;
/* Through a union: a guest without SSE has no double arguments. */
#define GT_LOCAL_GT_F64_(i, v)                                                    \
	const union { double f64; uint64_t word; } gt_v##i##_ = {v};
#define GT_BYTES_GT_F64_(i)     + 8u
#define GT_STORE_GT_F64_(i)     *gt_at_++ = gt_v##i##_.word;
#define GT_ARGUMENT_GT_F64_(i)  , gt_v##i##_.word
#define GT_SHAPE_GT_F64_        gt_next_ <<= 1;
#define GT_LOCAL_GT_TEXT_(i, v)                                                   \
	const struct gt__text gt_v##i##_ = GT_FIT_(v);
#define GT_BYTES_GT_TEXT_(i)    + gt__text_bytes(gt_v##i##_)
#define GT_STORE_GT_TEXT_(i)    gt_at_ = gt__put_text(gt_at_, gt_v##i##_);
#define GT_ARGUMENT_GT_TEXT_(i)                                                \
	, (uint64_t)(uintptr_t)gt_v##i##_.bytes, gt__text_word(gt_v##i##_)
#define GT_SHAPE_GT_TEXT_       gt_shape_ |= gt_next_; gt_next_ <<= 1;
#define GT_LOCAL_GT_NONE_(i, v)
#define GT_BYTES_GT_NONE_(i)
#define GT_STORE_GT_NONE_(i)
#define GT_ARGUMENT_GT_NONE_(i)
#define GT_SHAPE_GT_NONE_

#define GT_FIRST_(first, ...) first
/* 17 stands for up to 32 more: what maps them is empty, after the assertion. */
#define GT_COUNT_(...)                                                         \
	GT_50TH_(__VA_ARGS__, 17, 17, 17, 17, 17, 17, 17, 17, 17, 17, 17, 17,  \
	17, 17, 17, 17, 17, 17, 17, 17, 17, 17, 17, 17, 17, 17, 17, 17, 17,    \
	17, 17, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,  \
	~)
#define GT_50TH_(                                                              \
	a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15,  \
	a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29,  \
	a30, a31, a32, a33, a34, a35, a36, a37, a38, a39, a40, a41, a42, a43,  \
	a44, a45, a46, a47, a48, r, ...) r
#define GT_PASTE_(a, b)  GT_PASTE__(a, b)
#define GT_PASTE__(a, b) a##b
#define GT_MAP_(m, ...)                                                        \
	GT_PASTE_(GT_MAP_, GT_COUNT_(__VA_ARGS__))(m, __VA_ARGS__)
#define GT_MAP_0(m, z)
#define GT_MAP_17(m, ...)
#define GT_MAP_1(m, z, a) m(1, a)
#define GT_MAP_2(m, z, a, b) m(1, a) m(2, b)
#define GT_MAP_3(m, z, a, b, c) m(1, a) m(2, b) m(3, c)
#define GT_MAP_4(m, z, a, b, c, d) GT_MAP_3(m, z, a, b, c) m(4, d)
#define GT_MAP_5(m, z, a, b, c, d, e) GT_MAP_4(m, z, a, b, c, d) m(5, e)
#define GT_MAP_6(m, z, a, b, c, d, e, f) GT_MAP_5(m, z, a, b, c, d, e) m(6, f)
#define GT_MAP_7(m, z, a, b, c, d, e, f, g)                                    \
	GT_MAP_6(m, z, a, b, c, d, e, f) m(7, g)
#define GT_MAP_8(m, z, a, b, c, d, e, f, g, h)                                 \
	GT_MAP_7(m, z, a, b, c, d, e, f, g) m(8, h)
#define GT_MAP_9(m, z, a, b, c, d, e, f, g, h, i)                              \
	GT_MAP_8(m, z, a, b, c, d, e, f, g, h) m(9, i)
#define GT_MAP_10(m, z, a, b, c, d, e, f, g, h, i, j)                          \
	GT_MAP_9(m, z, a, b, c, d, e, f, g, h, i) m(10, j)
#define GT_MAP_11(m, z, a, b, c, d, e, f, g, h, i, j, k)                       \
	GT_MAP_10(m, z, a, b, c, d, e, f, g, h, i, j) m(11, k)
#define GT_MAP_12(m, z, a, b, c, d, e, f, g, h, i, j, k, l)                    \
	GT_MAP_11(m, z, a, b, c, d, e, f, g, h, i, j, k) m(12, l)
#define GT_MAP_13(m, z, a, b, c, d, e, f, g, h, i, j, k, l, n)                 \
	GT_MAP_12(m, z, a, b, c, d, e, f, g, h, i, j, k, l) m(13, n)
#define GT_MAP_14(m, z, a, b, c, d, e, f, g, h, i, j, k, l, n, o)              \
	GT_MAP_13(m, z, a, b, c, d, e, f, g, h, i, j, k, l, n) m(14, o)
#define GT_MAP_15(m, z, a, b, c, d, e, f, g, h, i, j, k, l, n, o, p)           \
	GT_MAP_14(m, z, a, b, c, d, e, f, g, h, i, j, k, l, n, o) m(15, p)
#define GT_MAP_16(m, z, a, b, c, d, e, f, g, h, i, j, k, l, n, o, p, q)        \
	GT_MAP_15(m, z, a, b, c, d, e, f, g, h, i, j, k, l, n, o, p) m(16, q)
/* clang-format on */

#define GT__INLINE static inline __attribute__((always_inline))

struct gt__text {
	const void *bytes;
	uint32_t stored_bytes;
	uint32_t full_bytes;
};

struct gt__room {
	uint32_t left_bytes;
	uint32_t cut; /* 0 or GT_RECORD_CUT */
};

struct gt__slot {
	struct gt_ring *ring; /* NULL: the record is lost and counted */
	uint64_t pos;
	uint64_t limit; /* to put back */
};

void gt__init(const struct gt_options *options, struct gt_site *sites,
              struct gt_site *sites_end);
struct gt_ring *gt__take_slow(struct gt_vcpu *vcpu, uint64_t bytes,
                              uint64_t limit);
struct gt__text gt__string(const char *string);
struct gt__text gt__text(const void *bytes, size_t count);
struct gt__text gt__fit(struct gt__text text, struct gt__room *room,
                        struct gt_vcpu *vcpu);
/* `text`, as compilers would load the site's own address on the hot path. */
/* gt_close() of a span that is there and was entered when it was opened. */
void gt__end_scope(struct gt_span *span);
void gt__out_of_line(unsigned operation, const char *text, struct gt_span *span,
                     const uint64_t *arguments);
volatile uint64_t *gt__put_text(volatile uint64_t *at, struct gt__text text);
/* `subject`: the address of a handle to fill, or the id of an open span. */
void gt__record(const char *text, uint32_t shape, uint64_t subject, ...);

GT__INLINE uint64_t gt__rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* Not before what comes earlier in the program has been done. */
GT__INLINE uint64_t gt__rdtsc_fenced(void)
{
	__asm__ volatile("lfence" ::: "memory");
	return gt__rdtsc();
}

/* Keeps the compiler from moving memory accesses; the CPU keeps TSO itself. */
GT__INLINE void gt__barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

GT__INLINE uint64_t gt__load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

GT__INLINE void gt__store(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/*
 * Takes the ring: its limit becomes 0, which sends whoever interrupts us to the
 * next level. Who interrupts between load and store leaves a whole record and
 * the old limit; at worst `pos` has moved on, and is read after this.
 */
GT__INLINE uint64_t gt__grab(uint64_t *limit)
{
	uint64_t taken = 0;

#ifdef GT_PREEMPTIBLE
	__asm__ volatile("xchgq %0, %1" : "+r"(taken), "+m"(*limit)::"memory");
#else
	taken = gt__load(limit);
	gt__barrier();
	gt__store(limit, 0);
	gt__barrier();
#endif
	return taken;
}

GT__INLINE struct gt__slot gt__take(struct gt_vcpu *vcpu, uint64_t bytes)
{
	struct gt__slot slot;

	slot.ring = &vcpu->ring[0];
	slot.limit = gt__grab(&slot.ring->limit);
	slot.pos = gt__load(&slot.ring->pos);
	if (__builtin_expect(slot.pos + bytes > slot.limit, 0)) {
		slot.ring = gt__take_slow(vcpu, bytes, slot.limit);
		if (!slot.ring)
			return slot;
		slot.pos = gt__load(&slot.ring->pos);
		slot.limit = slot.ring->next;
	}
	return slot;
}

GT__INLINE volatile uint64_t *gt__head(struct gt__slot slot, uint64_t site,
                                       uint32_t kind, uint32_t flags,
                                       uint64_t bytes)
{
	volatile uint64_t *at =
		(volatile uint64_t *)(uintptr_t)(slot.ring->base_gva +
	                                         (slot.pos & slot.ring->mask));
	const uint64_t head = bytes / 8 | kind << 16 | flags << 24;

	at[1] = GT_TSC();
	at[0] = site + (head << 32);
	return at + 2;
}

/* Publishing `pos` is the commit: the host's acquire is in gt__guest_read(). */
GT__INLINE void gt__publish(struct gt__slot slot, uint64_t bytes)
{
	gt__barrier();
	gt__store(&slot.ring->pos, slot.pos + bytes);
	gt__barrier();
	gt__store(&slot.ring->limit, slot.limit);
}

GT__INLINE void gt__opened(struct gt_span *span, struct gt__slot slot,
                           struct gt_vcpu *vcpu, uint64_t site, bool entered)
{
	span->id = slot.pos + slot.ring->id_base;
	span->site = (uint32_t)site;
	if (entered) {
		span->previous = gt__load(&vcpu->current);
		gt__store(&vcpu->current, span->id);
	}
}

GT__INLINE void gt__scope_end(struct gt_span *span)
{
	if (span->id)
		gt__end_scope(span);
}

GT__INLINE uint64_t gt__i64(int64_t value)
{
	return (uint64_t)value;
}

GT__INLINE uint64_t gt__pointer(const volatile void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

GT__INLINE uint64_t gt__text_bytes(struct gt__text text)
{
	return 8 + (((uint64_t)text.stored_bytes + 7) & ~(uint64_t)7);
}

/* As in a record: what is there, and what there was before a cut. */
GT__INLINE uint64_t gt__text_word(struct gt__text text)
{
	return text.stored_bytes | (uint64_t)text.full_bytes << 32;
}

static inline uint64_t gt_current(void)
{
	struct gt_vcpu *vcpu = GT_THIS_VCPU();
	uint64_t current;

	GT_HOLD_(vcpu);
	current = gt__load(&vcpu->current);
	GT_RELEASE_();
	return current;
}

static inline void gt_init(const struct gt_options *options)
{
	/* The linker makes these from the section's name; none, no symbols. */
	extern struct gt_site __start_gt_sites[]
		__attribute__((weak, visibility("hidden")));
	extern struct gt_site __stop_gt_sites[]
		__attribute__((weak, visibility("hidden")));

	gt__init(options, __start_gt_sites, __stop_gt_sites);
}

#endif
