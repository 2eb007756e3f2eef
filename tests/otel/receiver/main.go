// SPDX-License-Identifier: MIT

// Command receiver is the Collector's own receiver of OTLP, without the Collector:
//
//	receiver FILE HTTP-ADDRESS GRPC-ADDRESS
//
// What it takes goes to FILE in protobuf, one request behind the other, which is
// one request of all. It says "ready" when it listens, and ends when its standard
// input does.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"sync"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// writeTo keeps what was received, one request at a time.
func writeTo(file io.Writer) (consumer.Traces, error) {
	var lock sync.Mutex
	var form ptrace.ProtoMarshaler

	return consumer.NewTraces(func(_ context.Context, traces ptrace.Traces) error {
		bytes, err := form.MarshalTraces(traces)
		if err != nil {
			return err
		}
		lock.Lock()
		defer lock.Unlock()
		_, err = file.Write(bytes)
		return err
	})
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: receiver FILE HTTP-ADDRESS GRPC-ADDRESS")
	}
	file, err := os.Create(os.Args[1])
	must(err)
	traces, err := writeTo(file)
	must(err)

	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	endpoint := func(address string) map[string]any { return map[string]any{"endpoint": address} }
	must(confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"http": endpoint(os.Args[2]),
		"grpc": endpoint(os.Args[3]),
	}}).Unmarshal(config))
	ctx := context.Background()
	receiver, err := factory.CreateTraces(ctx, receivertest.NewNopSettings(factory.Type()), config, traces)
	must(err)
	must(receiver.Start(ctx, componenttest.NewNopHost()))
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	must(receiver.Shutdown(ctx))
	must(file.Close())
}
