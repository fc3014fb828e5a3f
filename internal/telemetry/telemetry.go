// Package telemetry measures the program: instruments of OpenTelemetry, shown at /metrics in the form of Prometheus, and sent to a
// collector as well when the environment names one (OTEL_EXPORTER_OTLP_ENDPOINT, as the OpenTelemetry specification has it). Both show
// the same names. A figure is labelled with what the operator has named (targets, sources, guards), never with people.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// scope names us among the instruments of a program.
const scope = "musterline"

// Telemetry holds the program's instruments.
type Telemetry struct {
	registry *prometheus.Registry
	meters   *sdkmetric.MeterProvider
	traces   *sdktrace.TracerProvider // nil: nobody collects traces
	meter    metric.Meter

	calls, points, requests, runs, changes, notified metric.Int64Counter
	took, waited, served, ran, read                  metric.Float64Histogram
	left                                             metric.Int64Gauge
}

// New returns the instruments of a program of this version. env looks a variable of the environment up, as os.LookupEnv.
func New(ctx context.Context, version string, env func(string) (string, bool)) (*Telemetry, error) {
	t := &Telemetry{registry: prometheus.NewRegistry()}
	t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	out, err := exporter.New(exporter.WithRegisterer(t.registry), exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	about := resource.NewSchemaless(attribute.String("service.name", scope), attribute.String("service.version", version))
	metrics := []sdkmetric.Option{sdkmetric.WithReader(out), sdkmetric.WithResource(about)}
	if collected(env) {
		push, err := otlpmetrichttp.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("telemetry: %w", err)
		}
		spans, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("telemetry: %w", err)
		}
		metrics = append(metrics, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(push)))
		t.traces = sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans), sdktrace.WithResource(about))
	}
	t.meters = sdkmetric.NewMeterProvider(metrics...)
	t.meter = t.meters.Meter(scope)
	return t, t.instruments()
}

// collected reports whether the environment names a collector and does not switch us off.
func collected(env func(string) (string, bool)) bool {
	if env == nil {
		env = os.LookupEnv
	}
	if off, _ := env("OTEL_SDK_DISABLED"); off == "true" {
		return false
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		if at, _ := env(name); at != "" {
			return true
		}
	}
	return false
}

// seconds are the bounds of durations, from a cached answer to a first sync.
var seconds = metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)

func (t *Telemetry) instruments() error {
	var errs []error
	counter := func(name, help string) metric.Int64Counter {
		c, err := t.meter.Int64Counter(name, metric.WithDescription(help))
		errs = append(errs, err)
		return c
	}
	histogram := func(name, help string) metric.Float64Histogram {
		h, err := t.meter.Float64Histogram(name, metric.WithDescription(help), metric.WithUnit("s"), seconds)
		errs = append(errs, err)
		return h
	}
	t.calls = counter("musterline.target.calls", "Calls to a target by resource and status; 304 is an answer that had not changed, 0 none.")
	t.points = counter("musterline.target.points", "Points of the vendor's ration that answers took.")
	t.took = histogram("musterline.target.call", "How long calls to a target took.")
	t.waited = histogram("musterline.target.wait", "How long calls stood in the queue or before a limit.")
	t.requests = counter("musterline.http.requests", "Requests to the server by route and status.")
	t.served = histogram("musterline.http.request", "How long requests to the server took.")
	t.runs = counter("musterline.runs", "Runs that ended, by state.")
	t.ran = histogram("musterline.run", "How long runs took.")
	t.changes = counter("musterline.changes", "Writes on a target by act and result.")
	t.notified = counter("musterline.notifications", "Tries to tell a notification, by result.")
	t.read = histogram("musterline.source.read", "How long reads of a source took, by result.")
	left, err := t.meter.Int64Gauge("musterline.target.points.left", metric.WithDescription("What the vendor says remains of a ration."))
	t.left = left
	return errors.Join(append(errs, err)...)
}

// Handler serves /metrics.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Tracer returns where spans are made; they go nowhere when nobody collects them.
func (t *Telemetry) Tracer() trace.Tracer { //nolint:ireturn // the library's own seam
	if t.traces == nil {
		return noop.NewTracerProvider().Tracer(scope)
	}
	return t.traces.Tracer(scope)
}

// Shut sends what is left to the collector.
func (t *Telemetry) Shut(ctx context.Context) error {
	err := t.meters.Shutdown(ctx)
	if t.traces != nil {
		err = errors.Join(err, t.traces.Shutdown(ctx))
	}
	return err
}

func by(pairs ...string) metric.MeasurementOption { //nolint:ireturn // the library's own seam
	set := make([]attribute.KeyValue, 0, len(pairs)/2)
	for pair := range slices.Chunk(pairs, 2) {
		set = append(set, attribute.String(pair[0], pair[1]))
	}
	return metric.WithAttributes(set...)
}

// Target returns the meter of the calls to one target; it satisfies target.Meter.
func (t *Telemetry) Target(name string) TargetMeter { return TargetMeter{t, name} }

// A TargetMeter counts the calls to one target.
type TargetMeter struct {
	t    *Telemetry
	name string
}

// Called counts a call; see target.Meter.
func (m TargetMeter) Called(_ context.Context, resource string, status int, took time.Duration) {
	ctx := context.Background()
	m.t.calls.Add(ctx, 1, by("target", m.name, "resource", resource, "status", strconv.Itoa(status)))
	m.t.took.Record(ctx, took.Seconds(), by("target", m.name, "resource", resource))
}

// Spent counts points of a ration.
func (m TargetMeter) Spent(_ context.Context, resource string, points int) {
	m.t.points.Add(context.Background(), int64(points), by("target", m.name, "resource", resource))
}

// Left shows what remains of a ration.
func (m TargetMeter) Left(resource string, remaining, _ int) {
	m.t.left.Record(context.Background(), int64(remaining), by("target", m.name, "resource", resource))
}

// Waited counts the time a call waited.
func (m TargetMeter) Waited(d time.Duration) {
	m.t.waited.Record(context.Background(), d.Seconds(), by("target", m.name))
}

// Served counts a request to the server. The route is its pattern, so that there are as many as there are routes.
func (t *Telemetry) Served(route string, status int, took time.Duration) {
	t.requests.Add(context.Background(), 1, by("route", route, "status", strconv.Itoa(status)))
	t.served.Record(context.Background(), took.Seconds(), by("route", route))
}

// Ran counts a run that has ended in a state.
func (t *Telemetry) Ran(target, state string, took time.Duration) {
	t.runs.Add(context.Background(), 1, by("target", target, "state", state))
	t.ran.Record(context.Background(), took.Seconds(), by("target", target))
}

// Wrote counts a write on a target.
func (t *Telemetry) Wrote(target, act, result string) {
	t.changes.Add(context.Background(), 1, by("target", target, "act", act, "result", result))
}

// Notified counts a try to tell a notification.
func (t *Telemetry) Notified(notification string, delivered bool) {
	result := "delivered"
	if !delivered {
		result = "failed"
	}
	t.notified.Add(context.Background(), 1, by("notification", notification, "result", result))
}

// Read counts a read of a source that ended well or not.
func (t *Telemetry) Read(source string, took time.Duration, err error) {
	result := "complete"
	if err != nil {
		result = "failed"
	}
	t.read.Record(context.Background(), took.Seconds(), by("source", source, "result", result))
}

// A Figure is one value of a gauge with its labels, as name and value in turn.
type Figure struct {
	Value  float64
	Labels []string
}

// Gauge shows figures that are looked up whenever somebody asks for them. An error is said in the log of whoever looks up; the figure is
// then missing, which an alarm can see, and not old.
func (t *Telemetry) Gauge(name, unit, help string, look func(context.Context) []Figure) error {
	g, err := t.meter.Float64ObservableGauge(name, metric.WithDescription(help), metric.WithUnit(unit))
	if err != nil {
		return err
	}
	_, err = t.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		for _, f := range look(ctx) {
			o.ObserveFloat64(g, f.Value, by(f.Labels...))
		}
		return nil
	}, g)
	return err
}
