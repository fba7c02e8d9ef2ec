package commands

import (
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/kibanatest"
)

// TestKibanaCancels: a job that is canceled while it runs ends as canceled within seconds, and so does the
// sync of the connector.
func TestKibanaCancels(t *testing.T) {
	t.Parallel()
	stages(t, "cancel", "scripted", func(s *stage) {
		s.connected()
		s.at(0, "09:00:00")
		job := s.kibana.StartJob(s.connector, kibanatest.Full)
		s.script(notes(4, `, "block": true`))
		s.at(0, "09:01:00")
		p := s.start(true)
		s.waitBlocked(p)
		s.look("020_runs")
		s.kibana.CancelJob(job)
		s.ended(p, "021_canceled", ExitOK)
		s.holds(s.index) // documents read but not yet written are dropped
		s.script(notes(4, ""))
		s.at(0, "09:02:00")
		s.poll("022_nothing_due", ExitOK)

		s.at(0, "09:10:00")
		s.kibana.CancelJob(s.kibana.StartJob(s.connector, kibanatest.Full))
		s.at(0, "09:11:00")
		s.poll("030_canceled_while_it_waits", ExitOK)
	})
}

// TestKibanaSnippet: an advanced rule for a source without advanced rules is reported when it is edited, not
// by every later job.
func TestKibanaSnippet(t *testing.T) {
	t.Parallel()
	stages(t, "snippet", "scripted", func(s *stage) {
		s.connected()
		s.at(0, "09:00:00")
		s.kibana.EditRules(s.connector, nil, map[string]any{"tables": []string{"a"}})
		s.at(0, "09:01:00")
		s.poll("020_invalid", ExitOK)
		s.kibana.StartJob(s.connector, kibanatest.Full)
		s.at(0, "09:02:00")
		s.poll("021_without_it", ExitOK)
	})
}

// TestKibanaCountsWhereItWrote: the total of a job counts the index that it wrote to, even if the connector
// has another index now.
func TestKibanaCountsWhereItWrote(t *testing.T) {
	t.Parallel()
	stages(t, "total", "scripted", func(s *stage) {
		s.connected()
		s.at(0, "09:00:00")
		s.kibana.StartJob(s.connector, kibanatest.Full)
		s.kibana.SetIndex(s.connector, s.index+"-2", "")
		s.at(0, "09:01:00")
		s.poll("020_moved", ExitOK)
	})
}
