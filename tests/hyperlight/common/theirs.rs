// SPDX-License-Identifier: MIT
//! Hyperlight's own host: what it exports to OpenTelemetry.
use crate::json::Line;
use crate::ours::out;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};
use tracing_subscriber::prelude::*;

pub fn start() -> InMemorySpanExporter {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    opentelemetry::global::set_tracer_provider(provider.clone());
    tracing_subscriber::registry()
        .with(
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("host"))
                .with_filter(tracing_subscriber::filter::LevelFilter::INFO),
        )
        .with(
            tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .with_ansi(false)
                .with_filter(tracing_subscriber::filter::LevelFilter::WARN),
        )
        .init();
    exporter
}

fn ns(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

fn fields(attributes: &[opentelemetry::KeyValue]) -> Vec<(String, String)> {
    attributes.iter().map(|one| (one.key.to_string(), one.value.to_string())).collect()
}

fn line(span: &SpanData) -> Line {
    Line {
        id: span.span_context.span_id().to_string(),
        parent: span.parent_span_id.to_string(),
        name: span.name.to_string(),
        start_ns: ns(span.start_time),
        end_ns: ns(span.end_time),
        fields: fields(&span.attributes),
        events: span
            .events
            .iter()
            .map(|event| Line {
                name: event.name.to_string(),
                start_ns: ns(event.timestamp),
                fields: fields(&event.attributes),
                ..Line::default()
            })
            .collect(),
        ..Line::default()
    }
}

/// The guest's spans; the rest are the host's own.
pub fn write(exporter: &InMemorySpanExporter) {
    let mut to = out("hyperlight.jsonl");
    for span in exporter.get_finished_spans().expect("the spans") {
        if span.instrumentation_scope.name() == "guest-tracer" {
            writeln!(to, "{}", line(&span).json()).expect("room");
        }
    }
}
