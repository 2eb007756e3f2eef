// SPDX-License-Identifier: MIT
//! A guest in Rust with Hyperlight's own tracing, version 0.18.
#![no_std]
#![no_main]
extern crate alloc;

use hyperlight_common::flatbuffer_wrappers::function_call::FunctionCall;
use hyperlight_common::flatbuffer_wrappers::function_types::{ParameterValue, ReturnValue};
use hyperlight_common::flatbuffer_wrappers::guest_error::ErrorCode;
use hyperlight_guest::error::{HyperlightGuestError, Result};
use hyperlight_guest_bin::host_comm::call_host;

include!("../../common/work.rs");

fn host_add(a: i32, b: i32) -> Result<i32> {
    call_host::<i32>("HostAdd", (a, b))
}

#[unsafe(no_mangle)]
pub extern "C" fn hyperlight_main() {}

#[unsafe(no_mangle)]
pub fn guest_dispatch_function(asked: FunctionCall) -> Result<ReturnValue> {
    let n = match asked.parameters.as_deref() {
        Some([ParameterValue::Int(n)]) => *n,
        _ => 0,
    };
    match call(&asked.function_name, n) {
        Some(result) => Ok(ReturnValue::Int(result?)),
        None => {
            Err(HyperlightGuestError::new(ErrorCode::GuestFunctionNotFound, asked.function_name))
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn srand(_: u32) {}
