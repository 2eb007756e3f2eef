// SPDX-License-Identifier: MIT
//! A guest in Rust with Hyperlight's own tracing, version 0.11, 0.12, 0.16.
#![no_std]
#![no_main]
extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;
use hyperlight_common::flatbuffer_wrappers::function_call::FunctionCall;
use hyperlight_common::flatbuffer_wrappers::function_types::{ParameterValue, ReturnType};
use hyperlight_common::flatbuffer_wrappers::guest_error::ErrorCode;
use hyperlight_common::flatbuffer_wrappers::util::get_flatbuffer_result;
use hyperlight_guest::error::{HyperlightGuestError, Result};
use hyperlight_guest_bin::host_comm::call_host_function;

include!("../../common/work.rs");

fn host_add(a: i32, b: i32) -> Result<i32> {
    let both = vec![ParameterValue::Int(a), ParameterValue::Int(b)];
    call_host_function::<i32>("HostAdd", Some(both), ReturnType::Int)
}

#[unsafe(no_mangle)]
pub extern "C" fn hyperlight_main() {}

#[unsafe(no_mangle)]
pub fn guest_dispatch_function(asked: FunctionCall) -> Result<Vec<u8>> {
    let n = match asked.parameters.as_deref() {
        Some([ParameterValue::Int(n)]) => *n,
        _ => 0,
    };
    match call(&asked.function_name, n) {
        Some(result) => Ok(get_flatbuffer_result(result?)),
        None => {
            Err(HyperlightGuestError::new(ErrorCode::GuestFunctionNotFound, asked.function_name))
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn srand(_: u32) {}
