// SPDX-License-Identifier: MIT

// Command go sends SPANS spans to URL by OpenTelemetry's SDK for Go, as one that
// records does: made one after the other, batched, gzip, none dropped. Each has as many
// attributes as one of the guest kv that guesttrace sends, and an event.
//
//	go URL SPANS
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// site is what guesttrace says of the place of a span or an event.
func site(target string, line int) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.Int("guesttrace.vcpu", 0), attribute.String("guesttrace.target", target),
		attribute.String("guesttrace.level", "info"),
		attribute.String("code.file.path", "examples/guests/kv.c"), attribute.Int("code.line.number", line),
	}
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: go URL SPANS")
	}
	spans, err := strconv.Atoi(os.Args[2])
	must(err)
	ctx := context.Background()
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(os.Args[1]),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	must(err)
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter, sdktrace.WithBlocking()))
	tracer := provider.Tracer("bench")
	ctx, root := tracer.Start(ctx, "replay")
	for i := range spans - 1 {
		_, span := tracer.Start(ctx, "request", trace.WithAttributes(site("kv", 120+i%4)...),
			trace.WithAttributes(attribute.Int("guesttrace.guest_id", i), attribute.String("op", "set"),
				attribute.String("key", fmt.Sprintf("session:%06x", i)), attribute.Int("bytes", 20+i%10)))
		span.AddEvent("table", trace.WithAttributes(site("kv.table", 300+i%4)...),
			trace.WithAttributes(attribute.Int("entries", i%40), attribute.Int("value_bytes", i%500)))
		span.SetAttributes(attribute.Bool("hit", i%8 != 0), attribute.String("reply", ""))
		span.End()
	}
	root.End()
	must(provider.Shutdown(context.Background()))
}
