// SPDX-License-Identifier: MIT
//! Every struct lies in memory as the C headers have it.
#![cfg(feature = "otlp")]
use guesttrace_sys::*;
use std::mem::{offset_of, size_of};

extern "C" {
    static gt_sys_layout: [usize; 0];
    static gt_sys_layout_count: usize;
}

macro_rules! layout {
    ($($name:ident { $($member:ident)* })*) => {
        vec![$((stringify!($name), "size", size_of::<$name>()),
               $((stringify!($name), stringify!($member), offset_of!($name, $member)),)*)*]
    };
}

#[test]
fn structs_lie_in_memory_as_in_c() {
    let here = layout! {
        gt_text { bytes count }
        gt_site_view { name target file line level function }
        gt_field { key type_ value full_bytes }
        gt_link { trace_id span_id flags remote }
        gt_span_trace { trace_id flags trace_state }
        gt_event_view { time_ns span_id sequence site fields field_count vcpu level flags trace }
        gt_span_view { id parent_id guest_id guest_parent_id start_ns end_ns sequence site fields field_count events event_count dropped_events dropped_fields links link_count status status_text vcpu close_vcpu level flags entered parent_remote trace }
        gt_host_span_view { id parent_id start_ns end_ns kind reason vcpu port tracing name waiting_ns flags trace }
        gt_loss_view { from_ns to_ns span_id sequence vcpu records overwritten_bytes bad_records bad_bytes }
        gt_trace { index trace_id parent_id run_id start_ns monotonic_offset_ns boottime_offset_ns vcpus flags guest_name vm_name backend guest_build_id vm_id host_name trace_state summary so_far }
        gt_losses { records strings_cut overwritten_bytes bad_records bad_bytes bad_requests unknown_spans replaced_spans evicted_spans dropped_events dropped_fields adjusted_records late_records cut_bytes repeated_batches unknown_kinds crowded_names bad_contexts quota_requests quota_exits }
        gt_clock_summary { error_bound_ns frequency_hz source flags pieces outside }
        gt_summary { ending status message end_ns clock spans events counters records record_bytes exits tracing_exits tracing_ns losses lost_records guest_ns }
        gt_sink { begin open close event counter host_span end finish free loss }
        gt_output { write context }
        gt_memory_slot { gpa bytes host read_only access }
        gt_memory_access { read write read_words }
        gt_exit { size reason port width_bytes out count r8 r9 r10 cr0 cr3 cr4 efer tsc_offset tsc_ratio tsc_ratio_shift waited_ns }
        gt_clock_reading { tsc monotonic_ns realtime_ns boottime_ns gap_ns }
        gt_sampler { dropped ignores_parent reserved }
        gt_limits { open_spans span_bytes ring_bytes sites_bytes contexts exits announcements batch_bytes name_bytes fields value_bytes rings_bytes record_bytes_per_s record_bytes exits_per_s records_per_s records exits_in_all }
        gt_host_options { size memory memory_slots vcpus sinks sink_count capture filter wire no_piggyback guest_name vm_name backend traceparent limits read_clock clock_context tsc_hz tsc_source random random_context guest_build_id vm_id host_name tracestate sampler has_holes }
        gt_replay_options { size read context sinks sink_count index limits progress stops_at_end }
        gt_attachment { size control_gva root has_five_levels takes_over owner lease_ticks tsc_offset tsc_ratio tsc_ratio_shift settle_ns }
        gt_owner { word owner beat lease_ticks }
        gt_process_memory { pid address }
        gt_mapping { pid address bytes fd file_offset }
        gt_found_control { mapping address control }
        gt_layout { slots places count has_five_levels others }
        gt_otlp_attribute { key value }
        gt_otlp_limit { is_set max }
        gt_otlp_limits { events links span_attributes event_attributes value_length }
        gt_otlp_http_options { size signal url protocol gzip headers header_count ca_file certificate_file key_file timeout_ms delay_ms batch_spans queue_spans finish_ms backoff_ms backoff_max_ms wait_for_room spool_directory spool_bytes refused refused_context attributes attribute_count no_host_spans limits events has_logs observed observed_count sampler spool_own_bytes }
    };
    let there = unsafe { std::slice::from_raw_parts(gt_sys_layout.as_ptr(), gt_sys_layout_count) };
    assert_eq!(here.len(), there.len());
    for ((name, member, at), c) in here.iter().zip(there) {
        assert_eq!(at, c, "{name}.{member}");
    }
}
