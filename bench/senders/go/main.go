// SPDX-License-Identifier: MIT

// Command go sends SPANS spans to URL by OpenTelemetry's SDK for Go, as one that
// records does: made one after the other, batched, gzip, none dropped. Each has five
// attributes, every second one an event.
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
		_, span := tracer.Start(ctx, "request", trace.WithAttributes(
			attribute.String("op", "set"), attribute.String("key", fmt.Sprintf("session:%06x", i)),
			attribute.Int("bytes", 20+i%10)))
		if i%2 == 0 {
			span.AddEvent("miss", trace.WithAttributes(attribute.Int("passed", i%3)))
		}
		span.SetAttributes(attribute.Bool("hit", i%8 != 0), attribute.String("reply", ""))
		span.End()
	}
	root.End()
	must(provider.Shutdown(context.Background()))
}
