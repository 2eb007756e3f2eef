// SPDX-License-Identifier: MIT
//! Traces of the code inside a micro-VM: the host side, for VMMs in Rust.
//!
//! A VMM tells a [`Host`] of each entry into the guest and each exit out of it;
//! what the guest recorded comes out of [`Sink`]s as a tree, OTLP, a file for
//! Perfetto, and more, or at an [`Observer`] of your own. [`replay`] reads a
//! capture that a `Host` or `guesttrace run` wrote.
//!
//! ```
//! use guesttrace::{replay, Sink, Shared};
//!
//! # fn main() -> std::io::Result<()> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/golden/basic.gtrace");
//! let text = Shared::default();
//! let mut sinks = [Sink::tree(text.clone()).unwrap()];
//! replay(std::fs::File::open(path)?, &mut sinks, 0).unwrap();
//! assert!(text.to_string().contains("request"));
//! # Ok(())
//! # }
//! ```
//!
//! The library is in C and is built with this crate; the feature `system` links
//! the installed one. The feature `otlp` adds OTLP over HTTP.
//!
//! Whatever a guest or a capture says is checked there: nothing in it makes a
//! call here panic. A panic of an [`Observer`] or a writer ends that sink with an
//! error and does not cross the library.

mod error;
mod host;
mod replay;
mod shared;
mod sink;
mod view;

pub use error::{Error, Result};
pub use guesttrace_sys as sys;
pub use host::{Answer, Ending, Exit, Host, Memory, Options, Reason, Wire, Work};
pub use replay::replay;
pub use shared::Shared;
#[cfg(feature = "otlp")]
pub use sink::OtlpHttp;
pub use sink::{Observer, Sink};
pub use view::{
    Event, Field, HostSpan, Link, Loss, Site, Span, SpanTrace, Status, Summary, Trace, Value,
};
