// SPDX-License-Identifier: MIT
//! `sender URL SPANS`: sends so many spans by OpenTelemetry's SDK for Rust, as one that
//! records does: made one after the other, batched, gzip, none dropped. Each has as many
//! attributes as one of the guest kv that guesttrace sends, and an event.
use opentelemetry::trace::{Span, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Compression, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanExporter,
};

fn provider(exporter: impl SpanExporter + 'static, spans: usize) -> SdkTracerProvider {
    // It has no way to wait for room.
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(spans + 1)
        .build();
    let batches = BatchSpanProcessor::builder(exporter)
        .with_batch_config(config)
        .build();
    SdkTracerProvider::builder()
        .with_span_processor(batches)
        .build()
}

/// What guesttrace says of the place of a span or an event.
fn site(target: &'static str, line: usize) -> Vec<KeyValue> {
    vec![
        KeyValue::new("guesttrace.vcpu", 0),
        KeyValue::new("guesttrace.target", target),
        KeyValue::new("guesttrace.level", "info"),
        KeyValue::new("code.file.path", "examples/guests/kv.c"),
        KeyValue::new("code.line.number", line as i64),
    ]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(url), Some(spans)) = (args.next(), args.next()) else {
        return Err("usage: sender URL SPANS".into());
    };
    let spans: usize = spans.parse()?;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(url)
        .with_compression(Compression::Gzip)
        .build()?;
    let provider = provider(exporter, spans);
    let tracer = provider.tracer("bench");
    let root = Context::current_with_span(tracer.start("replay"));
    for i in 0..spans - 1 {
        let mut span = tracer.start_with_context("request", &root);
        span.set_attributes(site("kv", 120 + i % 4));
        span.set_attribute(KeyValue::new("guesttrace.guest_id", i as i64));
        span.set_attribute(KeyValue::new("op", "set"));
        span.set_attribute(KeyValue::new("key", format!("session:{i:06x}")));
        span.set_attribute(KeyValue::new("bytes", (20 + i % 10) as i64));
        let mut attributes = site("kv.table", 300 + i % 4);
        attributes.push(KeyValue::new("entries", (i % 40) as i64));
        attributes.push(KeyValue::new("value_bytes", (i % 500) as i64));
        span.add_event("table", attributes);
        span.set_attribute(KeyValue::new("hit", i % 8 != 0));
        span.set_attribute(KeyValue::new("reply", ""));
        span.end();
    }
    root.span().end();
    provider.shutdown()?;
    Ok(())
}
