// SPDX-License-Identifier: MIT
//! Traces of Hyperlight guests, inside a Hyperlight host.
//!
//! Two ways lead here; `docs/hyperlight.md` says what each can do.
//!
//! **With the hook**, a small patch of `hyperlight-host` that shows entries and
//! exits of each vCPU (`hyperlight-host-0.18.0.patch` beside this crate): guests
//! of all wires, in Rust or C, with the host's stretches, times on the host's
//! clock, and on the native wire what a guest recorded before it died.
//!
//! ```ignore
//! guesttrace_hyperlight::install_hook!();
//! let tracer = Tracer::new(Options {
//!     sinks: vec![Sink::tree(std::io::stdout())?],
//!     wire: Wire::Hyperlight0_12,
//!     ..Options::default()
//! })?;
//! let mut sandbox = tracer.watch(|| SandboxBuilder::from_file(path).build())?;
//! sandbox.call::<i32>("Work", 3)?;
//! drop(sandbox);
//! tracer.finish()?;
//! ```
//!
//! **Without a patch**, any host and any version: a C guest whose library was
//! built with `-DGT_BATCH_EXIT=...` hands its batches to a host function.
//!
//! ```ignore
//! let taker = tracer.clone();
//! let sandbox = SandboxBuilder::from_file(path)
//!     .host_function("GtBatch", move |bytes: Vec<u8>, tsc: u64| Ok(taker.batch(&bytes, tsc)))
//!     .build()?;
//! ```

mod hook;
mod tracer;

pub use guesttrace;
pub use guesttrace::{Ending, Exit, Memory, Observer, Options, Reason, Result, Sink, Wire};
#[doc(hidden)]
pub use hook::{dropped, enter, exit, reset};
pub use tracer::Tracer;
