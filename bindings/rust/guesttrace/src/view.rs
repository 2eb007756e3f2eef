// SPDX-License-Identifier: MIT
//! What a sink is shown, borrowed from the library for the length of a call.
use guesttrace_sys as sys;
use std::marker::PhantomData;

/// The bytes of a text. Those of every text but a `Value::Bytes` are UTF-8.
unsafe fn bytes<'a>(text: &sys::gt_text) -> &'a [u8] {
    slice(text.bytes.cast(), text.count)
}

unsafe fn text<'a>(text: &sys::gt_text) -> &'a str {
    // The library promises UTF-8; a newer one that breaks this shows nothing.
    std::str::from_utf8(bytes(text)).unwrap_or_default()
}

unsafe fn slice<'a, T>(first: *const T, count: usize) -> &'a [T] {
    if first.is_null() || count == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(first, count)
    }
}

macro_rules! view {
    ($(#[$doc:meta])* $name:ident of $raw:ident { $($(#[$get_doc:meta])* $get:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name<'a> {
            raw: *const sys::$raw,
            borrowed: PhantomData<&'a sys::$raw>,
        }

        impl<'a> $name<'a> {
            /// SAFETY: `raw` and all it points to are good for `'a`.
            pub(crate) unsafe fn new(raw: *const sys::$raw) -> $name<'a> {
                $name { raw, borrowed: PhantomData }
            }

            fn raw(&self) -> &'a sys::$raw {
                // SAFETY: new()'s caller promised it.
                unsafe { &*self.raw }
            }

            /// The struct of the C library.
            pub fn as_raw(&self) -> &'a sys::$raw {
                self.raw()
            }

            $($(#[$get_doc])* pub fn $get(&self) -> $type { self.raw().$get })*
        }
    };
}

macro_rules! texts {
    ($name:ident { $($(#[$doc:meta])* $get:ident),* $(,)? }) => {
        impl<'a> $name<'a> {
            $($(#[$doc])* pub fn $get(&self) -> &'a str {
                // SAFETY: texts of a view live as long as the view.
                unsafe { text(&self.raw().$get) }
            })*
        }
    };
}

view! {
    /// One run of one VM.
    Trace of gt_trace {
        /// Of this run among those that one sink is shown, from 0.
        index: u32,
        trace_id: [u8; 16],
        /// Above the run; 0: none.
        parent_id: u64,
        /// Of the run as a span: parent of its roots.
        run_id: u64,
        /// Nanoseconds since 1970-01-01 UTC, like all times here.
        start_ns: u64,
        /// UTC less CLOCK_MONOTONIC.
        monotonic_offset_ns: i64,
        /// CLOCK_BOOTTIME less CLOCK_MONOTONIC.
        boottime_offset_ns: i64,
        vcpus: u32,
        /// W3C trace flags.
        flags: u32,
    }
}
texts!(Trace { guest_name, vm_name, backend, guest_build_id, vm_id, host_name, trace_state });

view! {
    /// A call site of the guest.
    Site of gt_site_view {
        line: u32,
        /// 1 error, 2 warn, 3 info, 4 debug, 5 trace; 0: the wire has none.
        level: u32,
    }
}
texts!(Site { name, target, file, function });

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    U64(u64),
    I64(i64),
    F64(f64),
    Bool(bool),
    Text(&'a str),
    Bytes(&'a [u8]),
    Pointer(u64),
    /// Of a type that this crate does not know.
    Unknown,
}

view! {
    /// A field of a span or an event.
    Field of gt_field {
        /// Of a text before it was cut; else how long it is.
        full_bytes: u32,
    }
}
texts!(Field { key });

impl<'a> Field<'a> {
    pub fn value(&self) -> Value<'a> {
        let raw = self.raw();
        // SAFETY: the type says which member was stored.
        unsafe {
            match raw.type_ {
                sys::GT_TYPE_U64 => Value::U64(raw.value.u64),
                sys::GT_TYPE_I64 => Value::I64(raw.value.i64),
                sys::GT_TYPE_F64 => Value::F64(raw.value.f64),
                sys::GT_TYPE_BOOL => Value::Bool(raw.value.boolean),
                sys::GT_TYPE_STRING => Value::Text(text(&raw.value.text)),
                sys::GT_TYPE_BYTES => Value::Bytes(bytes(&raw.value.text)),
                sys::GT_TYPE_POINTER => Value::Pointer(raw.value.u64),
                _ => Value::Unknown,
            }
        }
    }
}

view! {
    /// A span that a span points to.
    Link of gt_link {
        trace_id: [u8; 16],
        span_id: u64,
        flags: u8,
        /// Of another process.
        remote: bool,
    }
}

view! {
    /// A trace other than the run's, of which spans of the guest are a part.
    SpanTrace of gt_span_trace {
        trace_id: [u8; 16],
        /// W3C trace flags.
        flags: u32,
    }
}
texts!(SpanTrace { trace_state });

view! {
    /// A record that is no span.
    Event of gt_event_view {
        time_ns: u64,
        /// Innermost entered span; 0: none.
        span_id: u64,
        /// Order of recording within the trace, from 1.
        sequence: u64,
        vcpu: u32,
        /// Of nesting: thread, interrupt, exception, NMI.
        level: u32,
        /// `enum gt_span_flag`.
        flags: u32,
    }
}

/// How a span went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status<'a> {
    Unset,
    Ok,
    Error(&'a str),
}

view! {
    /// A span.
    Span of gt_span_view {
        /// Unique in the trace, never 0.
        id: u64,
        /// 0: none.
        parent_id: u64,
        /// As the guest numbers it: the same in each run.
        guest_id: u64,
        guest_parent_id: u64,
        start_ns: u64,
        end_ns: u64,
        sequence: u64,
        /// Shown as events, too many to keep.
        dropped_events: u64,
        dropped_fields: u64,
        vcpu: u32,
        close_vcpu: u32,
        /// Of nesting: thread, interrupt, exception, NMI.
        level: u32,
        /// `enum gt_span_flag`.
        flags: u32,
        /// Opened and entered by one record.
        entered: bool,
        /// The parent is no span of this run: the run's `traceparent`, or
        /// where `trace` is another one, what a request named.
        parent_remote: bool,
    }
}

macro_rules! lists {
    ($name:ident { $($(#[$doc:meta])* $get:ident: $item:ident by $count:ident),* $(,)? }) => {
        impl<'a> $name<'a> {
            $($(#[$doc])* pub fn $get(&self) -> impl ExactSizeIterator<Item = $item<'a>> {
                let raw = self.raw();
                // SAFETY: arrays of a view live as long as the view.
                unsafe { slice(raw.$get, raw.$count).iter().map(|one| $item::new(one)) }
            })*
        }
    };
}
lists!(Event { fields: Field by field_count, });
lists!(Span {
    /// Late ones behind those of the opening.
    fields: Field by field_count,
    events: Event by event_count,
    links: Link by link_count,
});

macro_rules! sites {
    ($($name:ident)*) => {
        $(impl<'a> $name<'a> {
            pub fn site(&self) -> Site<'a> {
                // SAFETY: every span and event has a site; it lives until `end`.
                unsafe { Site::new(self.raw().site) }
            }

            /// The site's name.
            pub fn name(&self) -> &'a str {
                self.site().name()
            }
        })*
    };
}
sites!(Event Span);

macro_rules! traces {
    ($($name:ident)*) => {
        $(impl<'a> $name<'a> {
            /// The trace it is a part of; `None`: the run's.
            pub fn trace(&self) -> Option<SpanTrace<'a>> {
                let trace = self.raw().trace;
                // SAFETY: what a view points to lives as long as the view.
                (!trace.is_null()).then(|| unsafe { SpanTrace::new(trace) })
            }
        })*
    };
}
traces!(Event Span HostSpan);

impl<'a> Span<'a> {
    pub fn status(&self) -> Status<'a> {
        match self.raw().status {
            0 => Status::Unset,
            1 => Status::Ok,
            // SAFETY: texts of a view live as long as the view.
            _ => Status::Error(unsafe { text(&self.raw().status_text) }),
        }
    }
}

view! {
    /// What the host did: a stretch in the guest (kind 1), out of it (2), or the
    /// VMM's own work (3).
    HostSpan of gt_host_span_view {
        id: u64,
        parent_id: u64,
        start_ns: u64,
        end_ns: u64,
        kind: u32,
        /// `enum gt_exit_reason`: why it ended, or of an exit began.
        reason: u32,
        vcpu: u32,
        port: u16,
        /// The exit was made to hand over records.
        tracing: bool,
        waiting_ns: u64,
        flags: u32,
    }
}
texts!(HostSpan { name });

view! {
    /// Records of one vCPU that are missing.
    Loss of gt_loss_view {
        from_ns: u64,
        to_ns: u64,
        span_id: u64,
        sequence: u64,
        vcpu: u32,
        records: u64,
        overwritten_bytes: u64,
        bad_records: u64,
        bad_bytes: u64,
    }
}

view! {
    /// How a run ended, and what did not arrive.
    Summary of gt_summary {
        /// `enum gt_ending`.
        ending: u32,
        /// The guest's own, when halted.
        status: u32,
        end_ns: u64,
        spans: u64,
        events: u64,
        counters: u64,
        records: u64,
        record_bytes: u64,
        /// By `enum gt_exit_reason`.
        exits: [u64; sys::GT_EXIT_REASONS],
        tracing_exits: u64,
        tracing_ns: u64,
        /// That vCPUs were inside the guest, summed up.
        guest_ns: u64,
        losses: sys::gt_losses,
        clock: sys::gt_clock_summary,
    }
}
texts!(Summary { message });
