// SPDX-License-Identifier: MIT
//! Makes a sandbox of a guest and does what the arguments say, traced by
//! Hyperlight's own host and by guesttrace at once.
//!
//! Usage: host GUEST STEP...; a step is FUNCTION:NUMBER, snapshot, restore,
//! lives:NUMBER (call, fault, restore, so often), timed:NUMBER (calls Quiet:500 so
//! often and says how long one took), filter:FILTER, level:LEVEL or
//! sleep:MILLISECONDS. NO_HOOK: batches come by the host function GtBatch alone.
#[path = "../../common/json.rs"]
mod json;
#[path = "../../common/ours.rs"]
mod ours;
#[path = "../../common/theirs.rs"]
mod theirs;

use guesttrace_hyperlight::Tracer;
use hyperlight_host::sandbox::snapshot::Snapshot;
use hyperlight_host::{HyperlightError, Sandbox, SandboxBuilder};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

fn build(guest: &str, tracer: &Tracer) -> hyperlight_host::Result<Sandbox> {
    let taker = tracer.clone();
    let make = || {
        SandboxBuilder::from_file(guest)
            .guest_log_level(tracing::level_filters::LevelFilter::TRACE)
            .host_function("HostAdd", |a: i32, b: i32| Ok::<i32, HyperlightError>(a + b))
            .host_function("GtBatch", move |bytes: Vec<u8>, tsc: u64| {
                Ok::<i32, HyperlightError>(taker.batch(&bytes, tsc))
            })
            .build()
    };
    if std::env::var_os("NO_HOOK").is_some() {
        make()
    } else {
        guesttrace_hyperlight::install_hook!();
        tracer.watch(make)
    }
}

fn say<T: Debug>(step: &str, result: hyperlight_host::Result<T>) {
    match result {
        Ok(value) => eprintln!("host: {step}: {value:?}"),
        Err(error) => eprintln!("host: {step}: failed: {error}"),
    }
}

fn quiet_ns(sandbox: &mut Sandbox) -> u128 {
    let start = Instant::now();
    assert!(sandbox.call::<i32>("Quiet", 500).is_ok());
    start.elapsed().as_nanos()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let exporter = theirs::start();
    let tracer = ours::tracer();
    let mut sandbox = build(&arguments[1], &tracer).expect("a sandbox");
    let mut snapshot: Option<Arc<Snapshot>> = None;
    for step in &arguments[2..] {
        let (what, value) = step.split_once(':').unwrap_or((step, ""));
        let call = tracing::info_span!("step", step);
        let _entered = call.enter();
        match what {
            "snapshot" => snapshot = Some(sandbox.snapshot().expect("a snapshot")),
            "restore" => {
                say(step, sandbox.restore(snapshot.clone().expect("a snapshot before")));
            }
            "lives" => {
                let first = sandbox.snapshot().expect("a snapshot");
                for i in 0..value.parse().expect("a number") {
                    let result = sandbox.call::<i32>("Work", i % 5);
                    assert!(result.is_ok(), "{result:?}");
                    assert!(sandbox.call::<i32>("Fault", i).is_err());
                    sandbox.restore(first.clone()).expect("restored");
                }
            }
            "timed" => {
                let count = value.parse().expect("a number");
                let mut each: Vec<_> = (0..count).map(|_| quiet_ns(&mut sandbox)).collect();
                each.sort();
                eprintln!("host: Quiet:500 takes {} ns", each[count / 2]);
            }
            "filter" => tracer.set_filter(value).expect("a filter"),
            "level" => say(step, sandbox.log_level(value.parse().expect("a level"))),
            "sleep" => {
                let ms = value.parse().expect("milliseconds");
                std::thread::sleep(std::time::Duration::from_millis(ms));
            }
            function => {
                let number = value.parse::<i32>().expect("a number");
                let mut call = || sandbox.call::<i32>(function, number);
                let hooked = std::env::var_os("NO_HOOK").is_none();
                say(step, if hooked { call() } else { tracer.call(call) });
            }
        }
    }
    drop(sandbox);
    ours::finish(&tracer);
    theirs::write(&exporter);
}
