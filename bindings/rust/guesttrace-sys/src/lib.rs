// SPDX-License-Identifier: MIT
//! The host side of guesttrace as its C headers have it: `guesttrace/host.h`,
//! `attach.h`, `export.h` and, with the feature `otlp`, `export_otlp.h`. What each function
//! does, and who owns what, is said there. The crate `guesttrace` is the same
//! in safe Rust.
//!
//! Enumerations are `u32`: a newer library may know values that this crate does
//! not. The layouts are checked against the headers by `cargo test`.
#![no_std]
#![allow(non_camel_case_types)]

use core::ffi::{c_char, c_int, c_long, c_uint, c_void};

mod attach;
pub use attach::*;

pub const GT_WIRE_NATIVE: c_uint = 0;
pub const GT_WIRE_HYPERLIGHT_0_11: c_uint = 1;
pub const GT_WIRE_HYPERLIGHT_0_12: c_uint = 2;

pub const GT_PORT_TRACE: u16 = 104;
pub const GT_BATCH_MAGIC: u64 = 104;

pub const GT_EXIT_OTHER: c_uint = 0;
pub const GT_EXIT_IO: c_uint = 1;
pub const GT_EXIT_MMIO: c_uint = 2;
pub const GT_EXIT_HALT: c_uint = 3;
pub const GT_EXIT_SHUTDOWN: c_uint = 4;
pub const GT_EXIT_EXCEPTION: c_uint = 5;
pub const GT_EXIT_INTERRUPTED: c_uint = 6;
pub const GT_EXIT_TIMEOUT: c_uint = 7;
pub const GT_EXIT_ERROR: c_uint = 8;
pub const GT_EXIT_REASONS: usize = 16;

pub const GT_ENDING_UNKNOWN: c_uint = 0;
pub const GT_ENDING_HALTED: c_uint = 1;
pub const GT_ENDING_ABORTED: c_uint = 2;
pub const GT_ENDING_SHUTDOWN: c_uint = 3;
pub const GT_ENDING_TIMEOUT: c_uint = 4;
pub const GT_ENDING_INTERRUPTED: c_uint = 5;
pub const GT_ENDING_FAILED: c_uint = 6;
pub const GT_ENDING_SNAPSHOT: c_uint = 7;

pub const GT_ANSWER_NONE: c_int = 0;
pub const GT_ANSWER_TAKEN: c_int = 1;
pub const GT_ANSWER_WAKE: c_int = 2;

pub const GT_TYPE_U64: c_uint = b'u' as c_uint;
pub const GT_TYPE_I64: c_uint = b'i' as c_uint;
pub const GT_TYPE_F64: c_uint = b'f' as c_uint;
pub const GT_TYPE_BOOL: c_uint = b'b' as c_uint;
pub const GT_TYPE_STRING: c_uint = b's' as c_uint;
pub const GT_TYPE_BYTES: c_uint = b'x' as c_uint;
pub const GT_TYPE_POINTER: c_uint = b'p' as c_uint;

pub const GT_MEMORY_SLOTS_MAX: usize = 8;
pub const GT_TSC_OFFSET_UNKNOWN: i64 = i64::MIN;

/// A C enumeration.
pub type gt_enum = c_uint;

#[repr(C)]
pub struct gt_host {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gt_text {
    pub bytes: *const c_char,
    pub count: usize,
}

#[repr(C)]
pub struct gt_site_view {
    pub name: gt_text,
    pub target: gt_text,
    pub file: gt_text,
    pub line: u32,
    pub level: gt_enum,
    pub function: gt_text,
}

#[repr(C)]
pub union gt_field_value {
    pub u64: u64,
    pub i64: i64,
    pub f64: f64,
    pub boolean: bool,
    pub text: gt_text,
}

#[repr(C)]
pub struct gt_field {
    pub key: gt_text,
    pub type_: gt_enum,
    pub value: gt_field_value,
    pub full_bytes: u32,
}

#[repr(C)]
pub struct gt_link {
    pub trace_id: [u8; 16],
    pub span_id: u64,
    pub flags: u8,
    pub remote: bool,
}

#[repr(C)]
pub struct gt_span_trace {
    pub trace_id: [u8; 16],
    pub flags: u32,
    pub trace_state: gt_text,
}

#[repr(C)]
pub struct gt_event_view {
    pub time_ns: u64,
    pub span_id: u64,
    pub sequence: u64,
    pub site: *const gt_site_view,
    pub fields: *const gt_field,
    pub field_count: usize,
    pub vcpu: u32,
    pub level: u32,
    pub flags: c_uint,
    pub trace: *const gt_span_trace,
}

#[repr(C)]
pub struct gt_span_view {
    pub id: u64,
    pub parent_id: u64,
    pub guest_id: u64,
    pub guest_parent_id: u64,
    pub start_ns: u64,
    pub end_ns: u64,
    pub sequence: u64,
    pub site: *const gt_site_view,
    pub fields: *const gt_field,
    pub field_count: usize,
    pub events: *const gt_event_view,
    pub event_count: usize,
    pub dropped_events: u64,
    pub dropped_fields: u64,
    pub links: *const gt_link,
    pub link_count: usize,
    pub status: gt_enum,
    pub status_text: gt_text,
    pub vcpu: u32,
    pub close_vcpu: u32,
    pub level: u32,
    pub flags: c_uint,
    pub entered: bool,
    pub parent_remote: bool,
    pub trace: *const gt_span_trace,
}

#[repr(C)]
pub struct gt_host_span_view {
    pub id: u64,
    pub parent_id: u64,
    pub start_ns: u64,
    pub end_ns: u64,
    pub kind: gt_enum,
    pub reason: gt_enum,
    pub vcpu: u32,
    pub port: u16,
    pub tracing: bool,
    pub name: gt_text,
    pub waiting_ns: u64,
    pub flags: c_uint,
    pub trace: *const gt_span_trace,
}

#[repr(C)]
pub struct gt_loss_view {
    pub from_ns: u64,
    pub to_ns: u64,
    pub span_id: u64,
    pub sequence: u64,
    pub vcpu: u32,
    pub records: u64,
    pub overwritten_bytes: u64,
    pub bad_records: u64,
    pub bad_bytes: u64,
}

#[repr(C)]
pub struct gt_trace {
    pub index: u32,
    pub trace_id: [u8; 16],
    pub parent_id: u64,
    pub run_id: u64,
    pub start_ns: u64,
    pub monotonic_offset_ns: i64,
    pub boottime_offset_ns: i64,
    pub vcpus: u32,
    pub flags: u32,
    pub guest_name: gt_text,
    pub vm_name: gt_text,
    pub backend: gt_text,
    pub guest_build_id: gt_text,
    pub vm_id: gt_text,
    pub host_name: gt_text,
    pub trace_state: gt_text,
    pub summary: *const gt_summary,
    pub so_far: *const gt_summary,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct gt_losses {
    pub records: u64,
    pub strings_cut: u64,
    pub overwritten_bytes: u64,
    pub bad_records: u64,
    pub bad_bytes: u64,
    pub bad_requests: u64,
    pub unknown_spans: u64,
    pub replaced_spans: u64,
    pub evicted_spans: u64,
    pub dropped_events: u64,
    pub dropped_fields: u64,
    pub adjusted_records: u64,
    pub late_records: u64,
    pub cut_bytes: u64,
    pub repeated_batches: u64,
    pub unknown_kinds: u64,
    pub crowded_names: u64,
    pub bad_contexts: u64,
    pub quota_requests: u64,
    pub quota_exits: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gt_clock_summary {
    pub error_bound_ns: u64,
    pub frequency_hz: u64,
    pub source: gt_enum,
    pub flags: c_uint,
    pub pieces: u64,
    pub outside: u64,
}

#[repr(C)]
pub struct gt_summary {
    pub ending: gt_enum,
    pub status: u32,
    pub message: gt_text,
    pub end_ns: u64,
    pub clock: gt_clock_summary,
    pub spans: u64,
    pub events: u64,
    pub counters: u64,
    pub records: u64,
    pub record_bytes: u64,
    pub exits: [u64; GT_EXIT_REASONS],
    pub tracing_exits: u64,
    pub tracing_ns: u64,
    pub losses: gt_losses,
    pub lost_records: *const u64,
    pub guest_ns: u64,
}

/// A function of a sink that is shown a `T`.
pub type gt_show<T> = Option<
    unsafe extern "C" fn(sink: *mut gt_sink, trace: *const gt_trace, what: *const T) -> c_int,
>;

#[repr(C)]
pub struct gt_sink {
    pub begin: Option<unsafe extern "C" fn(sink: *mut gt_sink, trace: *const gt_trace) -> c_int>,
    pub open: gt_show<gt_span_view>,
    pub close: gt_show<gt_span_view>,
    pub event: gt_show<gt_event_view>,
    pub counter: gt_show<gt_event_view>,
    pub host_span: gt_show<gt_host_span_view>,
    pub end: gt_show<gt_summary>,
    pub finish: Option<unsafe extern "C" fn(sink: *mut gt_sink) -> c_int>,
    pub free: Option<unsafe extern "C" fn(sink: *mut gt_sink)>,
    pub loss: gt_show<gt_loss_view>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gt_output {
    pub write: Option<
        unsafe extern "C" fn(context: *mut c_void, bytes: *const c_void, count: usize) -> c_int,
    >,
    pub context: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gt_memory_slot {
    pub gpa: u64,
    pub bytes: u64,
    pub host: *mut c_void,
    pub read_only: bool,
    pub access: *const gt_memory_access,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gt_memory_access {
    pub read: Option<
        unsafe extern "C" fn(
            host: *mut c_void,
            offset: u64,
            to: *mut c_void,
            count: usize,
        ) -> c_int,
    >,
    pub write: Option<
        unsafe extern "C" fn(
            host: *mut c_void,
            offset: u64,
            from: *const c_void,
            count: usize,
        ) -> c_int,
    >,
    pub read_words: Option<
        unsafe extern "C" fn(
            host: *mut c_void,
            offsets: *const u64,
            words: *mut u64,
            count: usize,
        ) -> c_int,
    >,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gt_exit {
    pub size: usize,
    pub reason: gt_enum,
    pub port: u16,
    pub width_bytes: u8,
    pub out: bool,
    pub count: u32,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub cr0: u64,
    pub cr3: u64,
    pub cr4: u64,
    pub efer: u64,
    pub tsc_offset: i64,
    pub tsc_ratio: u64,
    pub tsc_ratio_shift: u32,
    pub waited_ns: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct gt_clock_reading {
    pub tsc: u64,
    pub monotonic_ns: u64,
    pub realtime_ns: u64,
    pub boottime_ns: u64,
    pub gap_ns: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct gt_limits {
    pub open_spans: u32,
    pub span_bytes: usize,
    pub ring_bytes: usize,
    pub sites_bytes: usize,
    pub contexts: u32,
    pub exits: u32,
    pub announcements: u32,
    pub batch_bytes: usize,
    pub name_bytes: usize,
    pub fields: u32,
    pub value_bytes: usize,
    pub rings_bytes: usize,
    pub record_bytes_per_s: u64,
    pub record_bytes: u64,
    pub exits_per_s: u64,
    pub records_per_s: u64,
    pub records: u64,
    pub exits_in_all: u64,
}

/// Zeros: parentbased_always_on.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct gt_sampler {
    pub dropped: u64,
    pub ignores_parent: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct gt_host_options {
    pub size: usize,
    pub memory: [gt_memory_slot; GT_MEMORY_SLOTS_MAX],
    pub memory_slots: u32,
    pub vcpus: u32,
    pub sinks: *const *mut gt_sink,
    pub sink_count: usize,
    pub capture: gt_output,
    pub filter: *const c_char,
    pub wire: gt_enum,
    pub no_piggyback: bool,
    pub guest_name: *const c_char,
    pub vm_name: *const c_char,
    pub backend: *const c_char,
    pub traceparent: *const c_char,
    pub limits: gt_limits,
    pub read_clock:
        Option<unsafe extern "C" fn(context: *mut c_void, ret_reading: *mut gt_clock_reading)>,
    pub clock_context: *mut c_void,
    pub tsc_hz: u64,
    pub tsc_source: gt_enum,
    pub random:
        Option<unsafe extern "C" fn(context: *mut c_void, bytes: *mut c_void, count: usize)>,
    pub random_context: *mut c_void,
    pub guest_build_id: *const c_char,
    pub vm_id: *const c_char,
    pub host_name: *const c_char,
    pub tracestate: *const c_char,
    pub sampler: gt_sampler,
    pub has_holes: bool,
}

#[repr(C)]
pub struct gt_replay_options {
    pub size: usize,
    pub read: Option<
        unsafe extern "C" fn(context: *mut c_void, bytes: *mut c_void, count: usize) -> c_long,
    >,
    pub context: *mut c_void,
    pub sinks: *const *mut gt_sink,
    pub sink_count: usize,
    pub index: u32,
    pub limits: gt_limits,
    pub progress: Option<unsafe extern "C" fn(context: *mut c_void, bytes: u64)>,
    pub stops_at_end: bool,
}

/// A constructor of `export.h`.
pub type gt_new =
    unsafe extern "C" fn(output: *const gt_output, ret_sink: *mut *mut gt_sink) -> c_int;

extern "C" {
    pub static gt_memory_checked: gt_memory_access;
    pub fn gt_error_text(code: c_int) -> *const c_char;

    pub fn gt_check_traceparent(text: *const c_char) -> c_int;
    pub fn gt_check_tracestate(text: *const c_char) -> c_int;
    pub fn gt_host_new(options: *const gt_host_options, ret_host: *mut *mut gt_host) -> c_int;
    pub fn gt_host_free(host: *mut gt_host);
    pub fn gt_host_enter(host: *mut gt_host, vcpu: u32, waited_ns: u64) -> c_int;
    pub fn gt_host_exit(host: *mut gt_host, vcpu: u32, exit: *const gt_exit) -> c_int;
    pub fn gt_host_batch(
        host: *mut gt_host,
        vcpu: u32,
        bytes: *const c_void,
        count: usize,
        guest_tsc: u64,
        tsc_offset: i64,
    ) -> c_int;
    pub fn gt_host_set_memory(
        host: *mut gt_host,
        slots: *const gt_memory_slot,
        count: u32,
    ) -> c_int;
    pub fn gt_host_drain(host: *mut gt_host) -> c_int;
    pub fn gt_host_want_wake(host: *mut gt_host, want: bool) -> c_int;
    pub fn gt_host_sample(host: *mut gt_host) -> c_int;
    pub fn gt_host_work_begin(host: *mut gt_host, vcpu: u32, name: *const c_char) -> u64;
    pub fn gt_host_work_end(host: *mut gt_host, work: u64) -> c_int;
    pub fn gt_host_snapshot(host: *mut gt_host, output: *const gt_output) -> c_int;
    pub fn gt_host_rotate(host: *mut gt_host, next: *const gt_output) -> c_int;
    pub fn gt_host_resumed(
        host: *mut gt_host,
        vcpu: u32,
        state: *const gt_exit,
        control_gva: u64,
    ) -> c_int;
    pub fn gt_host_control(host: *mut gt_host) -> u64;
    pub fn gt_host_set_filter(host: *mut gt_host, filter: *const c_char) -> c_int;
    pub fn gt_host_finish(
        host: *mut gt_host,
        ending: gt_enum,
        status: u32,
        message: *const c_char,
    ) -> c_int;

    pub fn gt_replay(options: *const gt_replay_options) -> c_int;

    pub fn gt_tree_new(output: *const gt_output, ret_sink: *mut *mut gt_sink) -> c_int;
    pub fn gt_perfetto_new(output: *const gt_output, ret_sink: *mut *mut gt_sink) -> c_int;
    pub fn gt_chrome_new(output: *const gt_output, ret_sink: *mut *mut gt_sink) -> c_int;
    pub fn gt_otlp_json_new(output: *const gt_output, ret_sink: *mut *mut gt_sink) -> c_int;
    pub fn gt_otlp_protobuf_new(output: *const gt_output, ret_sink: *mut *mut gt_sink) -> c_int;
    pub fn gt_folded_new(output: *const gt_output, ret_sink: *mut *mut gt_sink) -> c_int;
    pub fn gt_csv_new(output: *const gt_output, ret_sink: *mut *mut gt_sink) -> c_int;
    pub fn gt_report_new(output: *const gt_output, ret_sink: *mut *mut gt_sink) -> c_int;
    pub fn gt_report_json_new(output: *const gt_output, ret_sink: *mut *mut gt_sink) -> c_int;
}

#[cfg(feature = "otlp")]
pub use otlp::*;

#[cfg(feature = "otlp")]
mod otlp {
    use super::*;

    #[repr(C)]
    pub struct gt_otlp_attribute {
        pub key: *const c_char,
        pub value: *const c_char,
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct gt_otlp_limit {
        pub is_set: bool,
        pub max: u32,
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct gt_otlp_limits {
        pub events: gt_otlp_limit,
        pub links: gt_otlp_limit,
        pub span_attributes: gt_otlp_limit,
        pub event_attributes: gt_otlp_limit,
        pub value_length: gt_otlp_limit,
    }

    #[repr(C)]
    pub struct gt_otlp_http_options {
        pub size: usize,
        pub signal: gt_enum,
        pub url: *const c_char,
        pub protocol: gt_enum,
        pub gzip: bool,
        pub headers: *const *const c_char,
        pub header_count: usize,
        pub ca_file: *const c_char,
        pub certificate_file: *const c_char,
        pub key_file: *const c_char,
        pub timeout_ms: u32,
        pub delay_ms: u32,
        pub batch_spans: u32,
        pub queue_spans: u32,
        pub finish_ms: u32,
        pub backoff_ms: u32,
        pub backoff_max_ms: u32,
        pub wait_for_room: bool,
        pub spool_directory: *const c_char,
        pub spool_bytes: u64,
        pub refused: Option<unsafe extern "C" fn(context: *mut c_void, why: *const c_char)>,
        pub refused_context: *mut c_void,
        pub attributes: *const gt_otlp_attribute,
        pub attribute_count: usize,
        pub no_host_spans: bool,
        pub limits: gt_otlp_limits,
        pub events: gt_enum,
        pub has_logs: bool,
        pub observed: *const *mut gt_sink,
        pub observed_count: usize,
        pub sampler: gt_sampler,
        pub spool_own_bytes: u64,
    }

    extern "C" {
        pub fn gt_otlp_http_new(
            options: *const gt_otlp_http_options,
            ret_sink: *mut *mut gt_sink,
        ) -> c_int;
    }
}
