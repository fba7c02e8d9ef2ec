// Package metrics writes the results of runs into a file for the textfile collector of Prometheus' node_exporter:
// https://github.com/prometheus/node_exporter#textfile-collector.
//
// The file is a contract: names, labels and meanings of metrics do not change, and there may be more of them. It is
// replaced completely or not at all. A connector that a run does not concern keeps its values in the file.
package metrics

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/ownfile"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// Run is the last run of one connector.
type Run struct {
	Connector, Index, SourceType string

	End      time.Time
	Duration time.Duration
	Exit     int
	Counts   report.Snapshot
}

// Command is the command that ran the connectors; it may have failed before any of them.
type Command struct {
	End  time.Time
	Exit int
}

// metric is one metric of the file.
type metric struct {
	name, help string
	of         func(*Run) float64
}

// lastSuccess is the only metric that a run does not always set.
const lastSuccess = "elastic_ingest_last_success_timestamp_seconds"

// ofRuns are the metrics of each connector.
var ofRuns = [...]metric{
	{"elastic_ingest_last_run_timestamp_seconds", "When the last run of the connector ended, in seconds since 1970.", func(r *Run) float64 { return seconds(r.End) }},
	{lastSuccess, "When the last run of the connector with exit code 0 ended, in seconds since 1970; 0 if there was none.", nil},
	{"elastic_ingest_last_run_duration_seconds", "How long the last run of the connector took.", func(r *Run) float64 { return r.Duration.Seconds() }},
	{"elastic_ingest_last_run_exit_code", "The exit code of the last run of the connector.", func(r *Run) float64 { return float64(r.Exit) }},
	{"elastic_ingest_last_run_documents_read", "Documents that the last run read from the source.", func(r *Run) float64 { return float64(r.Counts.Read) }},
	{"elastic_ingest_last_run_documents_created", "Documents that the last run created.", func(r *Run) float64 { return float64(r.Counts.Created) }},
	{"elastic_ingest_last_run_documents_updated", "Documents that the last run updated.", func(r *Run) float64 { return float64(r.Counts.Updated) }},
	{"elastic_ingest_last_run_documents_deleted", "Documents that the last run deleted.", func(r *Run) float64 { return float64(r.Counts.Deleted) }},
	{"elastic_ingest_last_run_documents_kept", "Documents that the last run found unchanged.", func(r *Run) float64 { return float64(r.Counts.Kept) }},
	{"elastic_ingest_last_run_documents_withheld", "Deletes that the last run held back.", func(r *Run) float64 { return float64(r.Counts.Withheld) }},
	{"elastic_ingest_last_run_documents_rejected", "Documents of the last run that could not be written.", func(r *Run) float64 { return float64(r.Counts.Rejected) }},
	{"elastic_ingest_last_run_sent_bytes", "Size of the bulk requests of the last run.", func(r *Run) float64 { return float64(r.Counts.Bytes) }},
}

// series is what identifies the values of a connector: its labels, escaped.
type series struct{ connector, index, sourceType string }

// values are the metrics of the file by series and name.
type values map[series]map[string]float64

// Write replaces the file by one with the results of runs, and with those of other connectors that it had.
func Write(file string, c Command, runs []Run) error {
	known := read(file)
	for i := range runs {
		r := &runs[i]
		key := series{escaped(r.Connector), escaped(r.Index), escaped(r.SourceType)}
		now := map[string]float64{lastSuccess: known[key][lastSuccess]}
		for _, m := range ofRuns {
			if m.of != nil {
				now[m.name] = m.of(r)
			}
		}
		if r.Exit == 0 {
			now[lastSuccess] = seconds(r.End)
		}
		known[key] = now
	}
	return replace(file, text(c, known))
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// escaped is the value of a label in the text format. Control characters, which the format permits, are shown as
// they are in messages.
func escaped(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(term.Plain(s))
}

// text is the content of the file, always in the same order.
func text(c Command, known values) []byte {
	var b bytes.Buffer
	head := func(name, help string) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	head("elastic_ingest_command_timestamp_seconds", "When the last command that wrote this file ended, in seconds since 1970.")
	fmt.Fprintf(&b, "elastic_ingest_command_timestamp_seconds %s\n", number(seconds(c.End)))
	head("elastic_ingest_command_exit_code", "The exit code of the last command that wrote this file.")
	fmt.Fprintf(&b, "elastic_ingest_command_exit_code %d\n", c.Exit)
	order := slices.SortedFunc(maps.Keys(known), func(x, y series) int {
		return cmp.Or(cmp.Compare(x.connector, y.connector), cmp.Compare(x.index, y.index), cmp.Compare(x.sourceType, y.sourceType))
	})
	for _, m := range ofRuns {
		if len(order) == 0 {
			break
		}
		head(m.name, m.help)
		for _, key := range order {
			if v, ok := known[key][m.name]; ok {
				fmt.Fprintf(&b, "%s{connector=\"%s\",index=\"%s\",source_type=\"%s\"} %s\n", m.name, key.connector, key.index, key.sourceType, number(v))
			}
		}
	}
	return b.Bytes()
}

const (
	mostRead   = 8 << 20 // bytes of an earlier file
	mostSeries = 10_000  // of an earlier file
)

// sample is a line as text writes it.
var sample = regexp.MustCompile(`^(elastic_ingest_[a-z_]+)\{connector="((?:[^"\\]|\\[\\"n])*)",index="((?:[^"\\]|\\[\\"n])*)",source_type="((?:[^"\\]|\\[\\"n])*)"\} (-?[0-9.]+)$`)

// read returns the values of an earlier file. Lines that this package would not write are ignored, and so is
// anything but a regular file.
func read(file string) values {
	known := values{}
	if ownfile.Check(file) != nil {
		return known
	}
	f, err := os.Open(file)
	if err != nil {
		return known
	}
	defer f.Close() //nolint:errcheck // it was only read
	raw, err := io.ReadAll(io.LimitReader(f, mostRead))
	if err != nil {
		return known
	}
	for line := range strings.Lines(strings.ToValidUTF8(string(raw), "\x00")) {
		line = strings.TrimSuffix(line, "\n")
		m := sample.FindStringSubmatch(line)
		if m == nil || strings.ContainsFunc(line, term.Escaped) {
			continue
		}
		v, err := strconv.ParseFloat(m[5], 64)
		if err != nil || math.IsInf(v, 0) || !slices.ContainsFunc(ofRuns[:], func(o metric) bool { return o.name == m[1] }) {
			continue
		}
		key := series{m[2], m[3], m[4]}
		if known[key] == nil {
			if len(known) == mostSeries {
				continue
			}
			known[key] = map[string]float64{}
		}
		known[key][m[1]] = v
	}
	return known
}

// replace writes a file that other users may read, since the collector is another user.
func replace(file string, raw []byte) error {
	if info, err := os.Lstat(file); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder", file)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return ownfile.Replace(file, raw, 0o644)
}
