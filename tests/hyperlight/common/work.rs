// SPDX-License-Identifier: MIT
// What the Rust guests of all versions do; included by them. They bring
// `host_add(a, b)`.
use alloc::string::String;
use tracing::{Level, debug, error, event, info, info_span, instrument, trace, warn};

#[instrument(level = "info", fields(twice = tracing::field::Empty))]
fn step(i: i32) -> i32 {
    tracing::Span::current().record("twice", i * 2);
    if i % 3 == 2 {
        warn!(i, "third step");
    }
    i * 2
}

/// Spans across calls to the host.
fn work(n: i32) -> Result<i32> {
    let outer = info_span!("outer", n, label = "héllo \"q\"", ok = true, f = 0.1f64);
    let _entered = outer.enter();
    let mut sum = 0;
    for i in 0..n {
        sum = host_add(sum, step(i))?;
    }
    info!(sum, "done");
    Ok(sum)
}

/// Spans without an exit of their own.
fn quiet(n: i32) -> Result<i32> {
    Ok((0..n).map(step).sum())
}

/// Every kind of value, every level, an explicit parent, an event outside.
fn signals(n: i32) -> Result<i32> {
    event!(Level::INFO, n, "outside of a span");
    let all = info_span!(
        "signals",
        max = u64::MAX,
        min = i64::MIN,
        third = 1.0 / 3.0,
        big = 1e300,
        no = false,
        debug = ?Some("x"),
        empty = ""
    );
    let entered = all.enter();
    error!("at error");
    warn!("at warn");
    info!("at info");
    debug!("at debug");
    trace!("at trace");
    let first = tracing::debug_span!("first");
    let second = tracing::trace_span!(parent: &first, "second", late = tracing::field::Empty);
    drop(first);
    second.record("late", 7);
    drop(second);
    drop(entered);
    Ok(n)
}

fn deep(n: i32) -> Result<i32> {
    let span = info_span!("deep", n);
    let _entered = span.enter();
    if n > 1 { Ok(1 + deep(n - 1)?) } else { Ok(1) }
}

/// Texts of `n` bytes. Hyperlight drops what does not fit a batch.
fn long_texts(n: i32) -> Result<i32> {
    let text: String = ('a'..='z').cycle().take(n as usize).collect();
    let span = info_span!("long", text = text.as_str());
    let _entered = span.enter();
    info!(text = text.as_str(), "long event");
    Ok(n)
}

fn panics(n: i32) -> Result<i32> {
    let span = info_span!("dying", n);
    let _entered = span.enter();
    info!("before the panic");
    if n > 0 {
        panic!("boom {n}");
    }
    Ok(0)
}

fn faults(n: i32) -> Result<i32> {
    let span = info_span!("faulting", n);
    let _entered = span.enter();
    info!("before the fault");
    // An address that nothing is mapped at.
    unsafe { core::ptr::write_volatile(0x7fff_0000_0000u64 as *mut u64, 1) };
    Ok(0)
}

fn call(name: &str, n: i32) -> Option<Result<i32>> {
    Some(match name {
        "Work" => work(n),
        "Quiet" => quiet(n),
        "Signals" => signals(n),
        "Deep" => deep(n),
        "Long" => long_texts(n),
        "Panic" => panics(n),
        "Fault" => faults(n),
        _ => return None,
    })
}
