// SPDX-License-Identifier: MIT
//! Runs the guest of ../hyperlight_guest_letters.c in an unpatched Hyperlight
//! sandbox, prints its trace as a tree, and sends it to an OpenTelemetry collector
//! if OTEL_EXPORTER_OTLP_TRACES_ENDPOINT names one.
//!
//! Usage: hyperlight-example GUEST WORD...
use guesttrace_hyperlight::guesttrace::OtlpHttp;
use guesttrace_hyperlight::{Options, Sink, Tracer, Wire};
use hyperlight_host::{GuestBinary, UninitializedSandbox};
use std::error::Error;

fn sinks() -> guesttrace_hyperlight::Result<Vec<Sink>> {
    let mut sinks = vec![Sink::tree(std::io::stdout())?];
    if let Ok(url) = std::env::var("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        sinks.push(Sink::otlp_http(&OtlpHttp { url, ..OtlpHttp::default() })?);
    }
    Ok(sinks)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, guest, words @ ..] = &arguments[..] else {
        return Err("usage: hyperlight-example GUEST WORD...".into());
    };
    let tracer = Tracer::new(Options {
        sinks: sinks()?,
        wire: Wire::Hyperlight0_12,
        guest_name: Some("letters".into()),
        ..Options::default()
    })?;
    let mut sandbox = UninitializedSandbox::new(GuestBinary::FilePath(guest.clone()), None)?;
    let taker = tracer.clone();
    sandbox.register("GtBatch", move |bytes: Vec<u8>, tsc: u64| Ok(taker.batch(&bytes, tsc)))?;
    let mut sandbox = tracer.call(|| sandbox.evolve())?;
    for word in words {
        let found = tracer.call(|| sandbox.call::<i32>("Count", word.clone()))?;
        eprintln!("{word}: {found}");
    }
    drop(sandbox);
    tracer.finish()?;
    Ok(())
}
