// SPDX-License-Identifier: MIT
//! guesttrace's host library, as set by the environment: WIRE, FILTER, OUT.
use crate::json::Line;
use guesttrace_hyperlight::guesttrace::{Event, Field, Span, Summary, Trace, Value};
use guesttrace_hyperlight::{Observer, Options, Sink, Tracer, Wire};
use std::fs::File;
use std::io::{self, Write};

pub fn out(name: &str) -> File {
    let folder = std::env::var("OUT").unwrap_or(".".into());
    File::create(format!("{folder}/{name}")).expect("a file in OUT")
}

/// Spans as ../compare reads them.
struct Lines(File);

fn value(field: &Field<'_>) -> String {
    match field.value() {
        Value::Text(text) => text.into(),
        Value::U64(n) => n.to_string(),
        Value::I64(n) => n.to_string(),
        other => format!("{other:?}"),
    }
}

fn fields<'a>(fields: impl Iterator<Item = Field<'a>>) -> Vec<(String, String)> {
    fields.map(|field| (field.key().into(), value(&field))).collect()
}

fn event(event: Event<'_>) -> Line {
    Line {
        name: event.name().into(),
        start_ns: event.time_ns().into(),
        fields: fields(event.fields()),
        ..Line::default()
    }
}

impl Observer for Lines {
    fn close(&mut self, _: Trace<'_>, span: Span<'_>) -> io::Result<()> {
        let mut line = Line {
            id: format!("{:016x}", span.id()),
            parent: format!("{:016x}", span.parent_id()),
            name: span.name().into(),
            start_ns: span.start_ns().into(),
            end_ns: span.end_ns().into(),
            flags: span.flags(),
            fields: fields(span.fields()),
            events: span.events().map(event).collect(),
        };
        line.fields.push(("target".into(), span.site().target().into()));
        writeln!(self.0, "{}", line.json())
    }

    fn end(&mut self, _: Trace<'_>, summary: Summary<'_>) -> io::Result<()> {
        let mut to = out("summary.txt");
        writeln!(to, "bound_ns {}", summary.clock().error_bound_ns)?;
        writeln!(to, "spans {} events {}", summary.spans(), summary.events())?;
        writeln!(to, "ending {} tracing_exits {}", summary.ending(), summary.tracing_exits())?;
        writeln!(to, "{:?}", summary.losses())
    }
}

pub fn tracer() -> Tracer {
    let wire = match std::env::var("WIRE").as_deref() {
        Ok("native") => Wire::Native,
        Ok("0.11") => Wire::Hyperlight0_11,
        _ => Wire::Hyperlight0_12,
    };
    Tracer::new(Options {
        wire,
        filter: std::env::var("FILTER").ok(),
        guest_name: Some("guest".into()),
        capture: Some(Box::new(out("run.gtrace"))),
        sinks: vec![
            Sink::observer(Lines(out("guesttrace.jsonl"))),
            Sink::report(out("report.txt")).unwrap(),
            Sink::otlp_json(out("otlp.jsonl")).unwrap(),
        ],
        ..Options::default()
    })
    .expect("a tracer")
}

/// Ends the run and says what went wrong in it.
pub fn finish(tracer: &Tracer) {
    tracer.finish().expect("the run ends well");
    let (count, first) = tracer.errors();
    eprintln!("host: guesttrace refused {count}: {first:?}");
}
