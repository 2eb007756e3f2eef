// SPDX-License-Identifier: MIT
//! What lies below a guest in C: Hyperlight 0.18.
#![no_std]
#![no_main]
extern crate alloc;

use alloc::ffi::CString;
use core::ffi::c_char;
use hyperlight_common::flatbuffer_wrappers::function_call::FunctionCall;
use hyperlight_common::flatbuffer_wrappers::function_types::{ParameterValue, ReturnValue};
use hyperlight_common::flatbuffer_wrappers::guest_error::ErrorCode;
use hyperlight_guest::error::{HyperlightGuestError, Result};
use hyperlight_guest_bin::host_comm::call_host;

#[path = "../../../../bindings/rust/guesttrace-hyperlight/guest/fault.rs"]
mod fault;

unsafe extern "C" {
    fn c_call(name: *const c_char, n: i32, known: *mut i32) -> i32;
    fn c_main();
}

#[unsafe(no_mangle)]
pub extern "C" fn hyperlight_main() {
    fault::install();
    unsafe { c_main() };
}

#[unsafe(no_mangle)]
pub fn guest_dispatch_function(asked: FunctionCall) -> Result<ReturnValue> {
    let n = match asked.parameters.as_deref() {
        Some([ParameterValue::Int(n)]) => *n,
        _ => 0,
    };
    let name = CString::new(asked.function_name.clone()).unwrap_or_default();
    let mut known = 0;
    let answer = unsafe { c_call(name.as_ptr(), n, &mut known) };
    if known == 0 {
        let code = ErrorCode::GuestFunctionNotFound;
        return Err(HyperlightGuestError::new(code, asked.function_name));
    }
    Ok(ReturnValue::Int(answer))
}

#[unsafe(no_mangle)]
pub extern "C" fn host_add(a: i32, b: i32) -> i32 {
    call_host::<i32>("HostAdd", (a, b)).unwrap_or(-1)
}

/// # Safety
/// `count` bytes lie at `bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn host_batch(bytes: *const u8, count: usize, tsc: u64) {
    let bytes = unsafe { core::slice::from_raw_parts(bytes, count) }.to_vec();
    let _ = call_host::<i32>("GtBatch", (bytes, tsc));
}

#[unsafe(no_mangle)]
pub extern "C" fn srand(_: u32) {}
