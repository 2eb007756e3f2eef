// SPDX-License-Identifier: MIT
//! The guest of examples/hyperlight/, over as much of hyperlight_guest_capi as it uses:
//! see ../capi_subset.h.
#![no_std]
#![no_main]
extern crate alloc;

use alloc::ffi::CString;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::{CStr, c_char};
use core::mem::transmute;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use hyperlight_common::flatbuffer_wrappers::function_call::FunctionCall;
use hyperlight_common::flatbuffer_wrappers::function_types::{ParameterValue, ReturnType};
use hyperlight_common::flatbuffer_wrappers::guest_error::ErrorCode;
use hyperlight_common::flatbuffer_wrappers::util::get_flatbuffer_result;
use hyperlight_guest::error::{HyperlightGuestError, Result};
use hyperlight_guest_bin::host_comm::call_host_function;

#[repr(C)]
#[derive(Clone, Copy)]
struct Bytes {
    data: *mut u8,
    len: usize,
}

#[repr(C)]
union Value {
    number: u64,
    text: *const c_char,
    bytes: Bytes,
}

#[repr(C)]
pub struct Parameter {
    tag: u32,
    value: Value,
}

#[repr(C)]
pub struct Call {
    name: *const c_char,
    parameters: *const Parameter,
    count: usize,
    returned: u32,
}

const STRING: u32 = 6;

type Function = extern "C" fn(*const Call) -> *mut u8;

/// What hyperlight_main() registers: one function of one text.
static FUNCTION: AtomicUsize = AtomicUsize::new(0);
static NAME: AtomicUsize = AtomicUsize::new(0);
static ANSWER: AtomicI32 = AtomicI32::new(0);
static FROM_HOST: AtomicI32 = AtomicI32::new(0);

#[unsafe(no_mangle)]
pub extern "C" fn hl_register_function_definition(
    name: *const c_char,
    function: Function,
    _parameters: usize,
    _types: *const u32,
    _returned: u32,
) {
    NAME.store(name as usize, Ordering::Relaxed);
    FUNCTION.store(function as usize, Ordering::Relaxed);
}

#[unsafe(no_mangle)]
pub extern "C" fn hl_flatbuffer_result_from_Int(value: i32) -> *mut u8 {
    ANSWER.store(value, Ordering::Relaxed);
    null_mut()
}

/// # Safety
/// A call of bytes and a number, as the guest makes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hl_call_host_function(call: &Call) {
    let both = unsafe { core::slice::from_raw_parts(call.parameters, 2) };
    let (bytes, number) = unsafe { (both[0].value.bytes, both[1].value.number) };
    let bytes = unsafe { core::slice::from_raw_parts(bytes.data, bytes.len) }.to_vec();
    let name = unsafe { CStr::from_ptr(call.name) }.to_str().unwrap_or("");
    let both = vec![ParameterValue::VecBytes(bytes), ParameterValue::ULong(number)];
    let answer = call_host_function::<i32>(name, Some(both), ReturnType::Int);
    FROM_HOST.store(answer.unwrap_or(-1), Ordering::Relaxed);
}

#[unsafe(no_mangle)]
pub extern "C" fn hl_get_host_return_value_as_Int() -> i32 {
    FROM_HOST.load(Ordering::Relaxed)
}

#[unsafe(no_mangle)]
pub fn guest_dispatch_function(asked: FunctionCall) -> Result<Vec<u8>> {
    let (name, function) = (NAME.load(Ordering::Relaxed), FUNCTION.load(Ordering::Relaxed));
    let known = unsafe { CStr::from_ptr(name as *const c_char) }.to_str();
    let text = match asked.parameters.as_deref() {
        Some([ParameterValue::String(text)]) if known == Ok(asked.function_name.as_str()) => text,
        _ => {
            let code = ErrorCode::GuestFunctionNotFound;
            return Err(HyperlightGuestError::new(code, asked.function_name));
        }
    };
    let text = CString::new(text.as_str()).unwrap_or_default();
    let one = Parameter { tag: STRING, value: Value { text: text.as_ptr() } };
    let call = Call { name: name as *const c_char, parameters: &one, count: 1, returned: 0 };
    let function = unsafe { transmute::<usize, Function>(function) };
    function(&call);
    Ok(get_flatbuffer_result(ANSWER.load(Ordering::Relaxed)))
}

#[unsafe(no_mangle)]
pub extern "C" fn srand(_: u32) {}
