// SPDX-License-Identifier: MIT
//! Makes a sandbox of a guest and does what the arguments say, traced by
//! Hyperlight's own host and by guesttrace at once.
//!
//! Usage: host GUEST STEP...; a step is FUNCTION:NUMBER, snapshot, restore,
//! filter:FILTER or sleep:MILLISECONDS. NO_HOOK: batches come by the
//! host function GtBatch alone. Also the host of versions 0.12 and 0.16.
#[path = "../../common/json.rs"]
mod json;
#[path = "../../common/ours.rs"]
mod ours;
#[path = "../../common/theirs.rs"]
mod theirs;

use guesttrace_hyperlight::Tracer;
use hyperlight_host::{GuestBinary, MultiUseSandbox, UninitializedSandbox};
use std::fmt::Debug;

fn build(guest: &str, tracer: &Tracer) -> hyperlight_host::Result<MultiUseSandbox> {
    let taker = tracer.clone();
    let make = || {
        let path = GuestBinary::FilePath(guest.into());
        let mut sandbox = UninitializedSandbox::new(path, None)?;
        sandbox.set_max_guest_log_level("trace".parse().expect("a level"));
        sandbox.register("HostAdd", |a: i32, b: i32| Ok(a + b))?;
        sandbox
            .register("GtBatch", move |bytes: Vec<u8>, tsc: u64| Ok(taker.batch(&bytes, tsc)))?;
        sandbox.evolve()
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

/// A snapshot as `snapshot()` makes it, and what `restore()` wants.
#[cfg(not(feature = "since-0-16"))]
mod kept {
    pub type Snapshot = hyperlight_host::sandbox::snapshot::Snapshot;

    pub fn restore(
        tracer: &guesttrace_hyperlight::Tracer,
        sandbox: &mut hyperlight_host::MultiUseSandbox,
        snapshot: &Snapshot,
    ) -> hyperlight_host::Result<()> {
        tracer.restoring(); // the hook does not see it here
        sandbox.restore(snapshot)
    }
}

#[cfg(feature = "since-0-16")]
mod kept {
    pub type Snapshot = std::sync::Arc<hyperlight_host::sandbox::snapshot::Snapshot>;

    pub fn restore(
        _tracer: &guesttrace_hyperlight::Tracer,
        sandbox: &mut hyperlight_host::MultiUseSandbox,
        snapshot: &Snapshot,
    ) -> hyperlight_host::Result<()> {
        sandbox.restore(snapshot.clone())
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let exporter = theirs::start();
    let tracer = ours::tracer();
    let mut sandbox = build(&arguments[1], &tracer).expect("a sandbox");
    let mut snapshot: Option<kept::Snapshot> = None;
    for step in &arguments[2..] {
        let (what, value) = step.split_once(':').unwrap_or((step, ""));
        let call = tracing::info_span!("step", step);
        let _entered = call.enter();
        match what {
            "snapshot" => snapshot = Some(sandbox.snapshot().expect("a snapshot")),
            "restore" => {
                let snapshot = snapshot.as_ref().expect("a snapshot before");
                say(step, kept::restore(&tracer, &mut sandbox, snapshot));
            }
            "filter" => tracer.set_filter(value).expect("a filter"),
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
