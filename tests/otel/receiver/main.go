// SPDX-License-Identifier: MIT

// Command receiver is the Collector's own receiver of OTLP, without the Collector:
//
//	receiver FILE HTTP-ADDRESS GRPC-ADDRESS
//
// What it takes of traces goes to FILE in protobuf, one request behind the other,
// which is one request of all; of metrics and logs to FILE.metrics and FILE.logs,
// a line of JSON for each request. It says "ready" when it listens, and ends when its standard
// input does.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// kept is a file of what was received of a signal, one request at a time.
type kept struct {
	file *os.File
	lock sync.Mutex
}

func keep(name string) *kept {
	file, err := os.Create(name)
	must(err)
	return &kept{file: file}
}

func (k *kept) add(bytes []byte, err error, end string) error {
	if err != nil {
		return err
	}
	k.lock.Lock()
	defer k.lock.Unlock()
	_, err = k.file.Write(append(bytes, end...))
	return err
}

func (k *kept) traces() consumer.Traces {
	form := ptrace.ProtoMarshaler{}
	to, err := consumer.NewTraces(func(_ context.Context, traces ptrace.Traces) error {
		bytes, err := form.MarshalTraces(traces)
		return k.add(bytes, err, "")
	})
	must(err)
	return to
}

func (k *kept) metrics() consumer.Metrics {
	form := pmetric.JSONMarshaler{}
	to, err := consumer.NewMetrics(func(_ context.Context, metrics pmetric.Metrics) error {
		bytes, err := form.MarshalMetrics(metrics)
		return k.add(bytes, err, "\n")
	})
	must(err)
	return to
}

func (k *kept) logs() consumer.Logs {
	form := plog.JSONMarshaler{}
	to, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		bytes, err := form.MarshalLogs(logs)
		return k.add(bytes, err, "\n")
	})
	must(err)
	return to
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: receiver FILE HTTP-ADDRESS GRPC-ADDRESS")
	}
	name := os.Args[1]
	traces, metrics, logs := keep(name), keep(name+".metrics"), keep(name+".logs")

	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	endpoint := func(address string) map[string]any { return map[string]any{"endpoint": address} }
	must(confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"http": endpoint(os.Args[2]),
		"grpc": endpoint(os.Args[3]),
	}}).Unmarshal(config))
	ctx := context.Background()
	settings := receivertest.NewNopSettings(factory.Type())
	// One receiver behind all three, which starts and ends with the last.
	receivers := make([]component.Component, 3)
	var err error
	receivers[0], err = factory.CreateTraces(ctx, settings, config, traces.traces())
	must(err)
	receivers[1], err = factory.CreateMetrics(ctx, settings, config, metrics.metrics())
	must(err)
	receivers[2], err = factory.CreateLogs(ctx, settings, config, logs.logs())
	must(err)
	for _, receiver := range receivers {
		must(receiver.Start(ctx, componenttest.NewNopHost()))
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	for _, receiver := range receivers {
		must(receiver.Shutdown(ctx))
	}
	for _, k := range []*kept{traces, metrics, logs} {
		must(k.file.Close())
	}
}
