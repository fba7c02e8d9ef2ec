package commands

import (
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/kibanatest"
)

// TestKibanaCancels: a job that is canceled while it runs ends as canceled at once, and the connector with it.
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
		s.holds(s.index) // what was read and not written is dropped
		s.script(notes(4, ""))
		s.at(0, "09:02:00")
		s.poll("022_nothing_due", ExitOK)

		s.at(0, "09:10:00")
		s.kibana.CancelJob(s.kibana.StartJob(s.connector, kibanatest.Full))
		s.at(0, "09:11:00")
		s.poll("030_canceled_while_it_waits", ExitOK)
	})
}

// TestKibanaSnippet: an advanced rule for a source that has none is told when it is edited, not by every
// job from then on.
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

// TestKibanaCountsWhereItWrote: the total of a job is that of the index that it wrote to, though the
// connector has another one by now.
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
