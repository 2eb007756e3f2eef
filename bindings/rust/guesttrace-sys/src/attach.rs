// SPDX-License-Identifier: MIT
//! `guesttrace/attach.h`: the guest of another process's.
use crate::{gt_host, gt_host_options, gt_memory_access, gt_memory_slot, GT_MEMORY_SLOTS_MAX};
use core::ffi::{c_int, c_void};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gt_attachment {
    pub size: usize,
    pub control_gva: u64,
    pub root: u64,
    pub has_five_levels: bool,
    pub takes_over: bool,
    pub owner: u32,
    pub lease_ticks: u64,
    pub tsc_offset: i64,
    pub tsc_ratio: u64,
    pub tsc_ratio_shift: u32,
    pub settle_ns: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gt_owner {
    pub word: u64,
    pub owner: u32,
    pub beat: u64,
    pub lease_ticks: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gt_process_memory {
    pub pid: i32,
    pub address: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gt_mapping {
    pub pid: i32,
    pub address: u64,
    pub bytes: u64,
    pub fd: c_int,
    pub file_offset: u64,
}

/// As `guesttrace/abi.h` has it; `gt_owner_read()` takes it apart.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gt_control {
    pub words: [u64; 24],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gt_found_control {
    pub mapping: *const gt_mapping,
    pub address: u64,
    pub control: gt_control,
}

/// Points into itself: it is not to be moved.
#[repr(C)]
pub struct gt_layout {
    pub slots: [gt_memory_slot; GT_MEMORY_SLOTS_MAX],
    pub places: [gt_process_memory; GT_MEMORY_SLOTS_MAX],
    pub count: u32,
    pub has_five_levels: bool,
    pub others: u32,
}

pub type gt_found =
    unsafe extern "C" fn(context: *mut c_void, control: *const gt_found_control) -> c_int;

extern "C" {
    pub static gt_memory_of_process: gt_memory_access;

    pub fn gt_host_attach(
        options: *const gt_host_options,
        attachment: *const gt_attachment,
        ret_host: *mut *mut gt_host,
    ) -> c_int;
    pub fn gt_host_detach(host: *mut gt_host) -> c_int;
    pub fn gt_owner_read(bytes: *const c_void, count: usize, ret_owner: *mut gt_owner) -> bool;

    pub fn gt_process_mappings(pid: i32, mappings: *mut gt_mapping, room: usize) -> c_int;
    pub fn gt_process_present(
        mapping: *const gt_mapping,
        range: Option<unsafe extern "C" fn(context: *mut c_void, offset: u64, bytes: u64) -> c_int>,
        context: *mut c_void,
    ) -> c_int;
    pub fn gt_process_scan(
        mappings: *const gt_mapping,
        count: usize,
        found: Option<gt_found>,
        context: *mut c_void,
        progress: Option<unsafe extern "C" fn(context: *mut c_void, bytes: u64, of: u64)>,
    ) -> c_int;
    pub fn gt_process_look_at(
        mappings: *const gt_mapping,
        count: usize,
        gpa: u64,
        found: Option<gt_found>,
        context: *mut c_void,
    ) -> c_int;
    pub fn gt_layout_solve(
        mappings: *const gt_mapping,
        count: usize,
        control: *const gt_found_control,
        ret_layout: *mut gt_layout,
    ) -> c_int;
    pub fn gt_layout_check(layout: *mut gt_layout, control: *const gt_found_control) -> c_int;
}
