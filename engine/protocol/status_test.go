package protocol

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/elastic-ingest/elastic-ingest/engine/golden"
)

func connectorStatuses() []ConnectorStatus {
	return []ConnectorStatus{
		ConnectorUnset, ConnectorCreated, ConnectorNeedsConfiguration, ConnectorConfigured, ConnectorConnected, ConnectorError,
	}
}

func connectorEvents() []ConnectorEvent {
	return []ConnectorEvent{ConnectorEventPublished, ConnectorEventConfigured, ConnectorEventSucceeded, ConnectorEventFailed}
}

func jobStatuses() []JobStatus {
	return []JobStatus{JobPending, JobInProgress, JobCanceling, JobSuspended, JobCompleted, JobError, JobCanceled}
}

func jobEvents() []JobEvent {
	return []JobEvent{
		JobEventClaim, JobEventComplete, JobEventFail, JobEventCancelRequested, JobEventCancel, JobEventSuspend, JobEventSupersede,
	}
}

// writeTransitions writes one line a status and one column an event; a dash is an event that is refused.
func writeTransitions[S, E ~string](w io.Writer, what string, statuses []S, events []E, traits func(S) string, next func(S, E) (S, bool)) {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer tab.Flush()
	fmt.Fprint(tab, what, "\t|")
	for _, e := range events {
		fmt.Fprint(tab, "\t", e)
	}
	fmt.Fprintln(tab, "\t|\tis")
	for _, from := range statuses {
		fmt.Fprintf(tab, "%s\t|", orElse(string(from), "(unset)"))
		for _, e := range events {
			cell := "-"
			if to, ok := next(from, e); ok {
				cell = string(to)
			}
			fmt.Fprint(tab, "\t", cell)
		}
		fmt.Fprintf(tab, "\t|\t%s\n", orElse(traits(from), "-"))
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// TestTransitions: every status, one of a release to come among them, with every event.
func TestTransitions(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	writeTransitions(&got, "connector", append(connectorStatuses(), "paused"), append(connectorEvents(), "paused"), func(s ConnectorStatus) string {
		if s.MaySync() {
			return "may sync"
		}
		return ""
	}, NextConnector)
	got.WriteByte('\n')
	writeTransitions(&got, "job", append(jobStatuses(), "paused", ""), append(jobEvents(), "paused"), func(s JobStatus) string {
		var is []string
		for name, yes := range map[string]bool{"final": s.Final(), "live": s.Live(), "waiting": s.Waiting()} {
			if yes {
				is = append(is, name)
			}
		}
		slices.Sort(is)
		return strings.Join(is, ", ")
	}, NextJob)
	golden.Compare(t, filepath.Join("testdata", "transitions.txt"), got.String())
}

// TestARefusedEventLeavesTheStatus: and one that is obeyed leads to a status that is known.
func TestARefusedEventLeavesTheStatus(t *testing.T) {
	t.Parallel()
	for _, from := range append(connectorStatuses(), "paused") {
		for _, e := range append(connectorEvents(), "") {
			to, ok := NextConnector(from, e)
			if !ok && to != from || ok && !slices.Contains(connectorStatuses(), to) {
				t.Errorf("connector %q, %s: to %q, %v", from, e, to, ok)
			}
		}
	}
	for _, from := range append(jobStatuses(), "paused", "") {
		for _, e := range append(jobEvents(), "") {
			to, ok := NextJob(from, e)
			if !ok && to != from || ok && !slices.Contains(jobStatuses(), to) {
				t.Errorf("job %q, %s: to %q, %v", from, e, to, ok)
			}
		}
	}
}

// TestEveryJobCanEnd: a status is final, or live, or waiting; from those that are not final a program or a
// user can bring the job to an error and to canceled, and from pending every status can be reached.
func TestEveryJobCanEnd(t *testing.T) {
	t.Parallel()
	reached := map[JobStatus]bool{}
	var visit func(JobStatus)
	visit = func(s JobStatus) {
		if reached[s] {
			return
		}
		reached[s] = true
		for _, e := range jobEvents() {
			if to, ok := NextJob(s, e); ok {
				visit(to)
			}
		}
	}
	visit(JobPending)
	for _, s := range jobStatuses() {
		if !reached[s] {
			t.Errorf("%s is never reached", s)
		}
		if n := count(s.Final(), s.Live(), s.Waiting()); n != 1 {
			t.Errorf("%s is %d of final, live and waiting", s, n)
		}
		if s.Final() {
			continue
		}
		if to, ok := NextJob(s, JobEventFail); !ok || to != JobError {
			t.Errorf("%s cannot fail", s)
		}
		asked, ok := NextJob(s, JobEventCancelRequested)
		if ok && asked == JobCanceling {
			asked, ok = NextJob(asked, JobEventCancel)
		}
		if !ok || asked != JobCanceled {
			t.Errorf("%s cannot be canceled", s)
		}
	}
}

func count(all ...bool) (n int) {
	for _, yes := range all {
		if yes {
			n++
		}
	}
	return n
}
