// SPDX-License-Identifier: MIT
//! A peer: Hyperlight's own subscriber for guests, compiled as in a guest and with the
//! allocator that hyperlight-guest-bin gives one. What it has written is thrown away
//! before its batch is full: its exit is an instruction that no process may execute.
#![no_std]
use buddy_system_allocator::LockedHeap;
use hyperlight_guest_tracing::{init_guest_tracing, reset, serialized_data};
use tracing::{Level, event, level_filters::LevelFilter, span};

#[global_allocator]
static HEAP: LockedHeap<32> = LockedHeap::empty();

static mut HEAP_BYTES: [u64; 1 << 14] = [0; 1 << 14];

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// So many fit into a batch of 4,096 bytes.
const EVENTS: u64 = 16;
const SPANS: u64 = 10;

#[unsafe(no_mangle)]
pub extern "C" fn peer_init() {
    let start = &raw mut HEAP_BYTES;
    unsafe { HEAP.lock().init(start as usize, size_of::<[u64; 1 << 14]>()) };
    init_guest_tracing(0, LevelFilter::INFO);
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_event_u64_str8(count: u64) {
    for i in 0..count {
        if i % EVENTS == 0 {
            reset();
        }
        event!(name: "tick", target: "bench", Level::INFO, count = 1000000 + i, label = "abcdefgh");
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn peer_span_u64_str8(count: u64) {
    for i in 0..count {
        if i % SPANS == 0 {
            reset();
        }
        let span = span!(
            target: "bench",
            Level::INFO,
            "work_item",
            count = 1000000 + i,
            label = "abcdefgh"
        );
        let _entered = span.enter();
    }
}

/// What lies in its batch now.
///
/// # Safety
/// `ret_bytes` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_batch(ret_bytes: *mut u64) -> u64 {
    let (start, bytes) = serialized_data().unwrap_or((0, 0));
    unsafe { *ret_bytes = bytes };
    start
}
