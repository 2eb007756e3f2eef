// SPDX-License-Identifier: MIT
//! What lies below a guest in C: Hyperlight 0.11, 0.12, 0.16.
#![no_std]
#![no_main]
extern crate alloc;

use alloc::ffi::CString;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::c_char;
use hyperlight_common::flatbuffer_wrappers::function_call::FunctionCall;
use hyperlight_common::flatbuffer_wrappers::function_types::{ParameterValue, ReturnType};
use hyperlight_common::flatbuffer_wrappers::guest_error::ErrorCode;
use hyperlight_common::flatbuffer_wrappers::util::get_flatbuffer_result;
use hyperlight_guest::error::{HyperlightGuestError, Result};
use hyperlight_guest_bin::host_comm::call_host_function;

#[cfg(feature = "since-0-16")]
#[path = "../../../../bindings/rust/guesttrace-hyperlight/guest/fault.rs"]
mod fault;

unsafe extern "C" {
    fn c_call(name: *const c_char, n: i32, known: *mut i32) -> i32;
    fn c_main();
}

#[unsafe(no_mangle)]
pub extern "C" fn hyperlight_main() {
    #[cfg(feature = "since-0-16")]
    fault::install();
    unsafe { c_main() };
}

#[unsafe(no_mangle)]
pub fn guest_dispatch_function(asked: FunctionCall) -> Result<Vec<u8>> {
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
    Ok(get_flatbuffer_result(answer))
}

#[unsafe(no_mangle)]
pub extern "C" fn host_add(a: i32, b: i32) -> i32 {
    let both = vec![ParameterValue::Int(a), ParameterValue::Int(b)];
    call_host_function::<i32>("HostAdd", Some(both), ReturnType::Int).unwrap_or(-1)
}

/// # Safety
/// `count` bytes lie at `bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn host_batch(bytes: *const u8, count: usize, tsc: u64) {
    let bytes = unsafe { core::slice::from_raw_parts(bytes, count) }.to_vec();
    let both = vec![ParameterValue::VecBytes(bytes), ParameterValue::ULong(tsc)];
    let _ = call_host_function::<i32>("GtBatch", Some(both), ReturnType::Int);
}

#[unsafe(no_mangle)]
pub extern "C" fn srand(_: u32) {}
