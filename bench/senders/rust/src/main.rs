// SPDX-License-Identifier: MIT
//! `sender URL SPANS`: sends so many spans by OpenTelemetry's SDK for Rust, as one that
//! records does: made one after the other, batched, gzip, none dropped. Each has five
//! attributes, every second one an event.
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
        span.set_attribute(KeyValue::new("op", "set"));
        span.set_attribute(KeyValue::new("key", format!("session:{i:06x}")));
        span.set_attribute(KeyValue::new("bytes", (20 + i % 10) as i64));
        if i % 2 == 0 {
            span.add_event("miss", vec![KeyValue::new("passed", (i % 3) as i64)]);
        }
        span.set_attribute(KeyValue::new("hit", i % 8 != 0));
        span.set_attribute(KeyValue::new("reply", ""));
        span.end();
    }
    root.span().end();
    provider.shutdown()?;
    Ok(())
}
