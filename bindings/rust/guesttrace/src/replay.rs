// SPDX-License-Identifier: MIT
use crate::error::{check, Error, Result};
use crate::sink::{code_of, guard, Sink};
use guesttrace_sys as sys;
use std::ffi::{c_long, c_void};
use std::io::{ErrorKind, Read};

struct Input<'a>(&'a mut dyn Read);

unsafe extern "C" fn read(context: *mut c_void, bytes: *mut c_void, count: usize) -> c_long {
    let mut got = 0;
    let code = guard(|| {
        let input = &mut *context.cast::<Input>();
        // The C side may hand memory that nothing was stored in yet.
        std::ptr::write_bytes(bytes.cast::<u8>(), 0, count);
        let bytes = std::slice::from_raw_parts_mut(bytes.cast::<u8>(), count);
        loop {
            match input.0.read(bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return code_of(&error),
                Ok(count) => {
                    got = count.min(bytes.len());
                    return 0;
                }
            }
        }
    });
    if code < 0 {
        code.into()
    } else {
        got as c_long
    }
}

/// Reads a capture and shows it to the sinks as the live run did. `index` is that
/// of this trace among those the sinks are shown. A damaged frame is skipped and
/// counted. An error: it is no capture, of another version, out of memory, or what
/// reading or a sink returned.
pub fn replay(mut from: impl Read, sinks: &mut [Sink], index: u32) -> Result<()> {
    let mut input = Input(&mut from);
    let raw: Vec<_> = sinks.iter().map(Sink::as_raw).collect();
    // SAFETY: zeros are the defaults of this struct.
    let mut options: sys::gt_replay_options = unsafe { std::mem::zeroed() };
    options.size = std::mem::size_of_val(&options);
    options.read = Some(read);
    options.context = std::ptr::addr_of_mut!(input).cast();
    options.sinks = raw.as_ptr();
    options.sink_count = raw.len();
    options.index = index;
    // SAFETY: the sinks are borrowed for as long as this takes.
    check(unsafe { sys::gt_replay(&options) }).map(|_| ())
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> std::io::Error {
        std::io::Error::other(error)
    }
}
