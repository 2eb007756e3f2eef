// SPDX-License-Identifier: MIT
//! A tracer without a sandbox: batches of real encoders, by bytes.
use guesttrace_hyperlight::guesttrace::{Shared, Span, Summary, Trace};
use guesttrace_hyperlight::{Observer, Options, Sink, Tracer, Wire};
use std::io::{self, Write};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/vectors/");

struct Names(Shared);

impl Observer for Names {
    fn close(&mut self, _: Trace<'_>, span: Span<'_>) -> io::Result<()> {
        writeln!(self.0, "{}", span.name())
    }

    fn end(&mut self, _: Trace<'_>, summary: Summary<'_>) -> io::Result<()> {
        writeln!(self.0, "{} spans, {} bad", summary.spans(), summary.losses().bad_requests)
    }
}

fn tracer(wire: Wire) -> (Tracer, Shared) {
    let shown = Shared::default();
    let sinks = vec![Sink::observer(Names(shown.clone()))];
    (Tracer::new(Options { sinks, wire, ..Options::default() }).unwrap(), shown)
}

/// What Hyperlight's own encoder wrote.
fn vector(name: &str) -> Vec<u8> {
    std::fs::read(format!("{VECTORS}{name}")).unwrap()
}

#[test]
fn a_batch_as_bytes_becomes_spans() {
    let (tracer, shown) = tracer(Wire::Hyperlight0_12);
    assert_eq!(tracer.call(|| tracer.batch(&vector("hyperlight-0.12/nested.bin"), 0)), 0);
    tracer.finish().unwrap();
    for name in ["outer\n", "middle\n", "inner\n", "3 spans, 0 bad\n"] {
        assert!(shown.to_string().contains(name), "{shown}");
    }
    assert_eq!(tracer.errors().0, 0);
}

#[test]
fn what_is_no_batch_is_counted_and_the_run_goes_on() {
    let (tracer, shown) = tracer(Wire::Hyperlight0_12);
    assert_eq!(tracer.batch(&[], 0), -4114);
    assert!(tracer.batch(&[255; 64], 0) <= 0);
    assert!(tracer.errors().0 >= 1);
    tracer.finish().unwrap();
    assert!(shown.to_string().contains("0 spans"), "{shown}");
}

#[test]
fn the_native_wire_takes_no_batches() {
    let (tracer, _) = tracer(Wire::Native);
    assert_eq!(tracer.batch(&[0; 8], 0), -22);
}

#[test]
fn a_tracer_is_over_once_and_quiet_afterwards() {
    let (tracer, shown) = tracer(Wire::Hyperlight0_12);
    let other = tracer.clone();
    tracer.finish().unwrap();
    let said = shown.to_string();
    other.finish().unwrap();
    assert_eq!(other.batch(&[255; 64], 0), 0);
    other.set_filter("warn").unwrap();
    assert_eq!(shown.to_string(), said);
}
