// SPDX-License-Identifier: MIT
//! For a guest of hyperlight-guest-bin 0.16 or later that has C code with
//! guesttrace's library in it: what was recorded before an exception reaches the
//! host before the guest gives up. Copy this file, and call `fault::install()`
//! once, in `hyperlight_main`. (A guest of hyperlight_guest_capi alone cannot: its C
//! interface has no way to a handler.)
#![allow(deprecated)] // HANDLERS is; nothing has taken its place.
use core::sync::atomic::Ordering;
use hyperlight_guest_bin::exception::arch::{Context, ExceptionInfo, HANDLERS};

unsafe extern "C" {
    fn gt_call_end();
}

type Handler = fn(u64, *mut ExceptionInfo, *mut Context, u64) -> bool;

/// False: not handled, so that the guest aborts as it would without this.
fn handler(_: u64, _: *mut ExceptionInfo, _: *mut Context, _: u64) -> bool {
    unsafe { gt_call_end() };
    false
}

pub fn install() {
    for place in HANDLERS.iter() {
        place.store(handler as Handler as usize as u64, Ordering::Release);
    }
}
