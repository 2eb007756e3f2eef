// SPDX-License-Identifier: MIT
//! The golden capture, shown to an observer in Rust, is what the C library's own
//! tests say it is: every member of every view.
use guesttrace::{
    replay, Event, Field, HostSpan, Loss, Observer, Shared, Sink, Span, Status, Summary, Trace,
    Value,
};
use std::fmt::Write as _;
use std::io::{self, Write as _};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/golden/");

struct Text(Shared);

/// Control characters as \xNN, so that a line stays a line.
fn text(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        if (c as u32) < 32 || c as u32 == 127 {
            write!(shown, "\\x{:02x}", c as u32).unwrap();
        } else {
            shown.push(c);
        }
    }
    shown
}

/// As C's %a, of the normal doubles that are in the capture.
fn hexadecimal(value: f64) -> String {
    let bits = value.to_bits();
    let fraction = format!("{:013x}", bits & ((1 << 52) - 1));
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("0x1{point}{fraction}p{:+}", (bits >> 52 & 2047) as i64 - 1023)
}

fn value(field: &Field<'_>) -> String {
    match field.value() {
        Value::U64(n) => format!("u={n}"),
        Value::I64(n) => format!("i={n}"),
        Value::F64(x) => format!("f={}", hexadecimal(x)),
        Value::Bool(b) => format!("b={}", b as u8),
        Value::Text(s) => format!("s={}({})", text(s), field.full_bytes()),
        Value::Bytes(b) => {
            let bytes: String = b.iter().map(|b| format!("\\x{b:02x}")).collect();
            format!("x={bytes}({})", field.full_bytes())
        }
        Value::Pointer(p) => format!("p={p}"),
        _ => panic!("a value of unknown type"),
    }
}

fn fields<'a>(fields: impl Iterator<Item = Field<'a>>) -> String {
    fields.map(|field| format!(" {}:{}", text(field.key()), value(&field))).collect()
}

fn event(what: &str, event: &Event<'_>) -> String {
    format!(
        "{what} {} #{} in {:x} cpu{}.{} !{:x} {}{}\n",
        event.time_ns(),
        event.sequence(),
        event.span_id(),
        event.vcpu(),
        event.level(),
        event.flags(),
        text(event.name()),
        fields(event.fields())
    )
}

fn span(what: &str, span: &Span<'_>) -> String {
    let site = span.site();
    let mut line = format!(
        "{what} {:x} ({}) < {:x} ({}) {}..{} #{} cpu{}-{}.{} !{:x}{}{} ",
        span.id(),
        span.guest_id(),
        span.parent_id(),
        span.guest_parent_id(),
        span.start_ns(),
        span.end_ns(),
        span.sequence(),
        span.vcpu(),
        span.close_vcpu(),
        span.level(),
        span.flags(),
        if span.entered() { " entered" } else { "" },
        if span.parent_remote() { " remote" } else { "" }
    );
    line += &format!(
        "{}.{} {}:{} {}{}",
        text(site.target()),
        text(site.name()),
        text(site.file()),
        site.line(),
        site.level(),
        fields(span.fields())
    );
    line += &match span.status() {
        Status::Unset => String::new(),
        Status::Ok => " status 1 ".into(),
        Status::Error(why) => format!(" status 2 {}", text(why)),
    };
    for link in span.links() {
        line += &format!(" link {:02x}..{:x}", link.trace_id()[0], link.span_id());
    }
    line += &format!(" dropped {} {}\n", span.dropped_events(), span.dropped_fields());
    line + &span.events().map(|one| event("  had", &one)).collect::<String>()
}

impl Observer for Text {
    fn begin(&mut self, trace: Trace<'_>) -> io::Result<()> {
        let id: String = trace.trace_id().iter().map(|b| format!("{b:02x}")).collect();
        writeln!(
            self.0,
            "trace {} {id} under {:x} from {} offset {} slept {} vcpus {} flags {} {}/{}/{}",
            trace.index(),
            trace.parent_id(),
            trace.start_ns(),
            trace.monotonic_offset_ns(),
            trace.boottime_offset_ns(),
            trace.vcpus(),
            trace.flags(),
            text(trace.guest_name()),
            text(trace.vm_name()),
            text(trace.backend())
        )
    }

    fn open(&mut self, _: Trace<'_>, one: Span<'_>) -> io::Result<()> {
        self.0.write_all(span("open", &one).as_bytes())
    }

    fn close(&mut self, _: Trace<'_>, one: Span<'_>) -> io::Result<()> {
        self.0.write_all(span("close", &one).as_bytes())
    }

    fn event(&mut self, _: Trace<'_>, one: Event<'_>) -> io::Result<()> {
        self.0.write_all(event("event", &one).as_bytes())
    }

    fn counter(&mut self, _: Trace<'_>, one: Event<'_>) -> io::Result<()> {
        self.0.write_all(event("counter", &one).as_bytes())
    }

    fn host_span(&mut self, _: Trace<'_>, span: HostSpan<'_>) -> io::Result<()> {
        writeln!(
            self.0,
            "host {} {:x} < {:x} {}..{} cpu{} kind {} reason {} port {} tracing {} waited {} !{:x}",
            span.name(),
            span.id(),
            span.parent_id(),
            span.start_ns(),
            span.end_ns(),
            span.vcpu(),
            span.kind(),
            span.reason(),
            span.port(),
            span.tracing() as u8,
            span.waiting_ns(),
            span.flags()
        )
    }

    fn loss(&mut self, _: Trace<'_>, loss: Loss<'_>) -> io::Result<()> {
        writeln!(
            self.0,
            "lost {}..{} behind #{} in {:x} cpu{} records {} overwritten {} bad {} of {}",
            loss.from_ns(),
            loss.to_ns(),
            loss.sequence(),
            loss.span_id(),
            loss.vcpu(),
            loss.records(),
            loss.overwritten_bytes(),
            loss.bad_records(),
            loss.bad_bytes()
        )
    }

    fn end(&mut self, _: Trace<'_>, summary: Summary<'_>) -> io::Result<()> {
        let exits: String = summary.exits().iter().map(|n| format!(" {n}")).collect();
        let l = summary.losses();
        let losses: String = [
            l.records,
            l.strings_cut,
            l.overwritten_bytes,
            l.bad_records,
            l.bad_bytes,
            l.bad_requests,
            l.unknown_spans,
            l.replaced_spans,
            l.evicted_spans,
            l.dropped_events,
            l.dropped_fields,
            l.adjusted_records,
            l.late_records,
            l.cut_bytes,
        ]
        .iter()
        .map(|n| format!(" {n}"))
        .collect();
        writeln!(
            self.0,
            "end {} {} {} at {} +-{} spans {} events {} counters {} records {} of {} exits{exits} losses{losses}",
            summary.ending(),
            summary.status(),
            text(summary.message()),
            summary.end_ns(),
            summary.clock().error_bound_ns,
            summary.spans(),
            summary.events(),
            summary.counters(),
            summary.records(),
            summary.record_bytes()
        )
    }
}

fn capture() -> std::fs::File {
    std::fs::File::open(format!("{GOLDEN}basic.gtrace")).unwrap()
}

#[test]
fn an_observer_is_shown_the_golden_run() {
    let shown = Shared::default();
    let mut sinks = [Sink::observer(Text(shown.clone()))];
    replay(capture(), &mut sinks, 0).unwrap();
    let expected = std::fs::read_to_string(format!("{GOLDEN}basic.txt")).unwrap();
    assert_eq!(shown.to_string(), expected);
}

struct Panics;

impl Observer for Panics {
    fn open(&mut self, _: Trace<'_>, _: Span<'_>) -> io::Result<()> {
        panic!("in an observer")
    }
}

#[test]
fn a_panic_does_not_cross_the_library_and_spares_other_sinks() {
    let text = Shared::default();
    let mut sinks = [Sink::observer(Panics), Sink::tree(text.clone()).unwrap()];
    assert_eq!(replay(capture(), &mut sinks, 0).unwrap_err().code(), -5);
    assert!(text.to_string().contains("request"));
}

struct Full;

impl io::Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::from_raw_os_error(28))
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_a_writer_fails_with_is_the_error() {
    let mut sinks = [Sink::csv(Full).unwrap()];
    let replayed = replay(capture(), &mut sinks, 0);
    let [sink] = sinks;
    let error = replayed.and(sink.finish()).unwrap_err();
    assert_eq!(error.code(), -28);
}

#[test]
fn what_is_no_capture_is_refused() {
    let error = replay(&b"not a capture, by far"[..], &mut [], 0).unwrap_err();
    assert_eq!(error.code(), -4112);
    assert_eq!(error.to_string(), "not a guesttrace capture");
}

#[test]
fn every_format_has_something_to_say() {
    type New = fn(Shared) -> guesttrace::Result<Sink>;
    let formats: [New; 9] = [
        Sink::tree,
        Sink::report,
        Sink::report_json,
        Sink::otlp_json,
        Sink::otlp_protobuf,
        Sink::perfetto,
        Sink::chrome,
        Sink::folded,
        Sink::csv,
    ];
    for new in formats {
        let output = Shared::default();
        let mut sinks = [new(output.clone()).unwrap()];
        replay(capture(), &mut sinks, 0).unwrap();
        let [sink] = sinks;
        sink.finish().unwrap();
        let bytes = output.take();
        assert!(bytes.windows(4).any(|four| four == b"step"), "{} bytes", bytes.len());
    }
}
