package metrics

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/golden"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

func at(minute int) time.Time { return time.Date(2030, 1, 2, 3, minute, 0, 500_000_000, time.UTC) }

// hostile is a name with everything that the format escapes, and with a control sequence.
const hostile = "a\"b\\c\nd\x1b[31m\xff é} 1"

func write(t *testing.T, file string, c Command, runs ...Run) string {
	t.Helper()
	if err := Write(file, c, runs); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	check(t, string(raw))
	return string(raw)
}

// check fails the test if a file is not in the text format, version 0.0.4, as the collector needs it: see
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details.
func check(t *testing.T, text string) {
	t.Helper()
	line := regexp.MustCompile(`^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? (\S+)$`)
	seen, helps, types, current := map[string]bool{}, map[string]bool{}, map[string]bool{}, ""
	if !strings.HasSuffix(text, "\n") {
		t.Error("the last line has no end")
	}
	for one := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if words := strings.SplitN(one, " ", 4); words[0] == "#" {
			kind, name := words[1], words[2]
			of := map[string]map[string]bool{"HELP": helps, "TYPE": types}[kind]
			if of == nil || of[name] || len(words) < 4 || kind == "TYPE" && words[3] != "gauge" {
				t.Errorf("line %q", one)
				continue
			}
			of[name], current = true, name
			continue
		}
		m := line.FindStringSubmatch(one)
		if m == nil {
			t.Errorf("line %q", one)
			continue
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if m[1] != current || !helps[m[1]] || !types[m[1]] || seen[m[1]+m[2]] || err != nil || math.IsNaN(v) {
			t.Errorf("line %q after %s", one, current)
		}
		seen[m[1]+m[2]] = true
	}
}

// TestTheFileIsAContract: it has these names, labels and values.
func TestTheFileIsAContract(t *testing.T) {
	t.Parallel()
	got := write(t, filepath.Join(t.TempDir(), "ei.prom"), Command{at(5), 3},
		Run{"shop", "search-shop", "postgresql", at(4), 61250 * time.Millisecond, 0, report.Snapshot{
			Read: 10_000_000_000, Created: 1, Updated: 2, Deleted: 3, Kept: 4, Withheld: 5, Rejected: 6, Bytes: 7,
		}},
		Run{hostile, "search-" + hostile, "dir", at(5), 0, 3, report.Snapshot{Rejected: 1}},
	)
	golden.Compare(t, filepath.Join("testdata", "metrics.prom"), got)
}

// TestTheLastSuccessSurvives a run that fails, a run of another connector, and a command that ran none.
func TestTheLastSuccessSurvives(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ei.prom")
	value := func(text, metric, connector string) string {
		m := regexp.MustCompile(`(?m)^` + metric + `\{connector="` + regexp.QuoteMeta(escaped(connector)) + `".*\} (\S+)$`).FindStringSubmatch(text)
		if m == nil {
			return ""
		}
		return m[1]
	}
	run := func(name string, minute, exit int) Run {
		return Run{Connector: name, Index: "i", SourceType: "dir", End: at(minute), Exit: exit, Counts: report.Snapshot{Read: int64(minute)}}
	}
	for step, tt := range []struct {
		runs    []Run
		success string // of the hostile connector
		last    string
		read    string
	}{
		{[]Run{run(hostile, 1, 5)}, "0", "1893553260.5", "1"},
		{[]Run{run(hostile, 2, 0)}, "1893553320.5", "1893553320.5", "2"},
		{[]Run{run(hostile, 3, 3)}, "1893553320.5", "1893553380.5", "3"},
		{[]Run{run("other", 4, 0)}, "1893553320.5", "1893553380.5", "3"},
		{nil, "1893553320.5", "1893553380.5", "3"},
	} {
		got := write(t, file, Command{at(9), 0}, tt.runs...)
		if s, l, r := value(got, lastSuccess, hostile), value(got, "elastic_ingest_last_run_timestamp_seconds", hostile), value(got, "elastic_ingest_last_run_documents_read", hostile); s != tt.success || l != tt.last || r != tt.read {
			t.Errorf("step %d: last success %s, last run %s, read %s\n%s", step, s, l, r, got)
		}
	}
}

// TestAnEarlierFileMayContainAnything: only what this program writes is kept.
func TestAnEarlierFileMayContainAnything(t *testing.T) {
	t.Parallel()
	const labels = `{connector="a",index="b",source_type="c"}`
	for _, earlier := range []string{
		"", "\x00\xff", strings.Repeat("x", mostRead+10), "other_metric" + labels + " 1\n", lastSuccess + " 1\n", lastSuccess + labels + " NaN\n",
		lastSuccess + labels + " 1e309\n", lastSuccess + labels + " 1 2\n", lastSuccess + `{connector="a\q",index="b",source_type="c"} 1` + "\n",
		lastSuccess + `{connector="a",index="b",source_type="c",x="y"} 1` + "\n", lastSuccess + "{connector=\"\x1b[31m\",index=\"b\",source_type=\"c\"} 1\n",
		lastSuccess + "{connector=\"\xff\",index=\"b\",source_type=\"c\"} 1\n", lastSuccess + labels + " ...\n",
	} {
		file := filepath.Join(t.TempDir(), "ei.prom")
		if err := os.WriteFile(file, []byte(earlier), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := write(t, file, Command{at(1), 0}); strings.Count(got, "\n") != 6 {
			t.Errorf("%.80q: %s", earlier, got)
		}
	}
	var many strings.Builder
	for i := range mostSeries + 10 {
		fmt.Fprintf(&many, "%s{connector=\"%d\",index=\"b\",source_type=\"c\"} 1\n", lastSuccess, i)
	}
	file := filepath.Join(t.TempDir(), "ei.prom")
	if err := os.WriteFile(file, []byte(many.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(write(t, file, Command{at(1), 0}), lastSuccess+"{"); got != mostSeries {
		t.Errorf("%d series were kept", got)
	}
}

// TestAFileThatCannotBeReplacedStays, and nothing remains beside it.
func TestAFileThatCannotBeReplacedStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := Write(filepath.Join(dir, "none", "ei.prom"), Command{}, nil); err == nil {
		t.Error("a missing folder: no error")
	}
	if err := os.Mkdir(filepath.Join(dir, "ei.prom"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "ei.prom"), Command{}, nil); err == nil {
		t.Error("a folder: no error")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}
