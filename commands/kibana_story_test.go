package commands

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/kibanatest"
)

// TestKibana is the life of a self-managed connector, from before its record is created until after it is
// deleted. Its steps name the files.
func TestKibana(t *testing.T) {
	t.Parallel()
	stages(t, "custom", "scripted", func(s *stage) {
		s.script(notes(4, ""))
		begins(s)
		schedules(s)
		fails(s)
		isCanceled(s)
		rulesAre(s)
		flagsAre(s)
		isSuspended(s)
		movesToAnotherIndex(s)
		withholds(s)
		catchesUp(s)
		listsIdentities(s)
		isDeleted(s)
	})
}

// numbered are the ids of that many notes.
func numbered(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("%02d", i))
	}
	return out
}

func begins(s *stage) {
	// The configuration names a connector that does not exist: the poll reports it, and creates the indices.
	s.gone = true
	s.poll("010_missing", ExitUsage)
	s.gone = false

	// The program publishes the fields of the configuration, and syncs nothing until they are configured.
	s.kibana.CreateConnector(kibanatest.Connector{ID: s.connector, Name: "Notes", Index: s.index, Language: "en"})
	s.look("020_created")
	s.poll("021_published", ExitOK)
	s.at(0, "08:01:00")
	s.poll("022_waiting", ExitOK) // the last heartbeat is recent: nothing is written

	s.at(0, "08:02:00")
	s.kibana.Configure(s.connector, map[string]any{"script": filepath.Join(s.dir, "absent.json")})
	s.look("030_configured")
	s.poll("031_not_right", ExitUsage)
	s.at(0, "08:03:00")
	s.kibana.Configure(s.connector, map[string]any{"script": filepath.Join(s.dir, "script.json")})
	s.poll("032_connected", ExitOK)
}

func schedules(s *stage) {
	s.at(0, "08:10:00")
	s.kibana.Schedule(s.connector, kibanatest.Full, "0 0 9 * * ?")
	s.look("040_scheduled")
	s.at(0, "08:59:59")
	s.poll("041_before", ExitOK)
	s.at(0, "09:00:00")
	s.poll("042_due", ExitOK)
	s.holds(s.index, numbered(4)...)
	s.at(0, "09:01:00")
	s.poll("043_done", ExitOK)

	s.at(0, "09:10:00")
	s.kibana.StartJob(s.connector, kibanatest.Full)
	s.look("050_started")
	s.at(0, "09:11:00")
	s.poll("051_run", ExitOK)
	s.at(0, "09:12:00")
	s.kibana.SyncNow(s.connector) // as the first generation of Kibana does
	s.poll("052_sync_now", ExitOK)
	s.at(0, "09:13:00")
	s.poll("053_once", ExitOK)
	s.at(0, "09:14:00")
	s.kibana.StartJob(s.connector, kibanatest.Incremental)
	s.poll("054_incremental", ExitOK)
}

func fails(s *stage) {
	s.at(0, "09:15:00")
	s.kibana.StartJob(s.connector, kibanatest.Full)
	s.script(notes(2, `, "fail": "temporary: too busy"`))
	s.poll("055_gives_out", ExitTemporary)
	s.holds(s.index, numbered(4)...)
	s.at(0, "09:16:00")
	s.kibana.StartJob(s.connector, kibanatest.Full)
	s.script(notes(4, ""))
	s.poll("056_well_again", ExitOK)
}

func isCanceled(s *stage) {
	s.at(0, "09:20:00")
	s.kibana.CancelJob(s.kibana.StartJob(s.connector, kibanatest.Full))
	s.look("060_canceled_while_it_waits")
	s.at(0, "09:21:00")
	s.poll("061_ended", ExitOK)
}

// withoutOdd is a rule that keeps half of the notes out.
func withoutOdd() kibanatest.Rule {
	return kibanatest.Rule{ID: "odd-out", Policy: "exclude", Field: "kind", Rule: "equals", Value: "odd"}
}

func rulesAre(s *stage) {
	s.at(0, "09:40:00")
	s.kibana.EditRules(s.connector, []kibanatest.Rule{withoutOdd()}, nil)
	s.look("070_rules_edited")
	s.at(0, "09:41:00")
	s.poll("071_rules_active", ExitOK)

	s.at(0, "09:42:00")
	wrong := kibanatest.Rule{ID: "wrong", Policy: "include", Field: "kind", Rule: "regex", Value: "(.*)"}
	s.kibana.EditRules(s.connector, []kibanatest.Rule{wrong}, nil)
	s.at(0, "09:43:00")
	s.poll("072_rules_invalid", ExitOK)

	s.at(0, "09:44:00")
	s.kibana.StartJob(s.connector, kibanatest.Full)
	s.at(0, "09:45:00")
	s.poll("073_rules_obeyed", ExitOK)
	s.holds(s.index, "00", "02")
}

func flagsAre(s *stage) {
	// Unreadable content does not matter if the pipeline does not extract it.
	s.script(`{"parts": [{"scope": "a", "documents": [{"id": "00", "fields": {"kind": "even"}, "content": "failure: broken"}, {"id": "02", "fields": {"kind": "even"}}]}]}`)
	s.at(0, "10:00:00")
	s.kibana.SetPipeline(s.connector, false, true, false)
	s.look("080_flags_set")
	s.kibana.StartJob(s.connector, kibanatest.Full)
	s.at(0, "10:01:00")
	s.poll("081_flags_obeyed", ExitOK)
	s.at(0, "10:02:00")
	s.kibana.SetPipeline(s.connector, true, true, true)
	s.kibana.StartJob(s.connector, kibanatest.Full)
	s.poll("082_content_unreadable", ExitIncomplete)
}

// interrupted lets a poll run into SIGTERM. It compares the records before the signal, too.
func (s *stage) interrupted(running, step string) {
	s.t.Helper()
	s.script(notes(4, `, "block": true`))
	p := s.start(true)
	s.waitBlocked(p)
	s.look(running)
	p.end(&term.SignalError{Signal: syscall.SIGTERM})
	s.ended(p, step, ExitTerminated)
	s.script(notes(4, ""))
}

func isSuspended(s *stage) {
	s.at(0, "10:20:00")
	s.kibana.StartJob(s.connector, kibanatest.Full)
	s.interrupted("090_runs", "091_suspended")
	s.at(0, "10:21:00")
	s.poll("092_resumed", ExitOK)

	s.at(0, "10:30:00")
	s.kibana.StartJob(s.connector, kibanatest.Full)
	s.interrupted("093_runs", "094_suspended_again")
	s.at(0, "10:31:00")
	s.kibana.EditRules(s.connector, nil, nil)
	s.at(0, "10:32:00")
	s.poll("095_superseded", ExitOK)
	s.holds(s.index, numbered(4)...)

	// A suspended job that is canceled looks like a job of another program until its heartbeat is old.
	s.at(0, "10:33:00")
	job := s.kibana.StartJob(s.connector, kibanatest.Full)
	s.interrupted("096_runs", "097_suspended")
	s.kibana.CancelJob(job)
	s.at(0, "10:38:00")
	s.poll("098_not_sure", ExitOK)
	s.at(0, "10:38:01")
	s.poll("099_canceled", ExitOK)
}

func movesToAnotherIndex(s *stage) {
	s.script(notes(30, ""))
	old := s.index
	s.at(0, "10:40:00")
	s.kibana.StartJob(s.connector, kibanatest.Full) // it keeps the index that it was created for
	s.at(0, "10:41:00")
	s.index += "-2"
	s.kibana.SetIndex(s.connector, s.index, "de")
	s.kibana.StartJob(s.connector, kibanatest.Full)
	s.at(0, "10:42:00")
	s.poll("100_moved", ExitOK)
	s.holds(old, numbered(30)...)
	s.holds(s.index, numbered(30)...)
}

func withholds(s *stage) {
	s.script(notes(5, ""))
	s.at(1, "09:00:00")
	s.poll("110_withheld", ExitWithheld)
	for i := range 3 {
		s.at(1, fmt.Sprintf("09:0%d:00", i+1))
		s.poll(fmt.Sprintf("11%d_nothing_due", i+1), ExitOK)
	}
	s.at(2, "09:00:00")
	s.poll("114_withheld_again", ExitWithheld)
	s.holds(s.index, numbered(30)...)
	s.script(notes(30, ""))
}

func catchesUp(s *stage) {
	s.script(`{"ping": "unreachable: no route"}`)
	s.at(3, "09:00:00")
	s.poll("120_unreachable", ExitTemporary)
	s.script(notes(30, ""))
	s.at(3, "09:30:00")
	s.poll("121_back", ExitOK)
	s.at(3, "09:31:00")
	s.poll("122_once", ExitOK)

	s.at(8, "12:00:00") // the runs from Friday to Tuesday at nine were missed
	s.poll("130_slept", ExitOK)
	s.at(8, "12:01:00")
	s.poll("131_once", ExitOK)
}

func listsIdentities(s *stage) {
	s.at(8, "13:00:00")
	s.kibana.StartJob(s.connector, kibanatest.AccessControl)
	s.at(8, "13:01:00")
	s.poll("140_identities", ExitOK)
	s.holds(".search-acl-filter-"+s.index, "ann", "bob")
	s.holds(s.index, numbered(30)...)

	for _, jobType := range []string{kibanatest.Full, kibanatest.Incremental, kibanatest.AccessControl} {
		s.kibana.Schedule(s.connector, jobType, "0 0 14 * * ?")
	}
	s.at(8, "13:30:00")
	s.poll("141_before", ExitOK)
	s.at(8, "14:00:00")
	s.poll("142_all_types", ExitOK)
	s.at(8, "14:01:00")
	s.poll("143_once", ExitOK)
}

func isDeleted(s *stage) {
	s.at(8, "15:00:00")
	s.kibana.StartJob(s.connector, kibanatest.Full)
	s.kibana.SoftDelete(s.connector)
	s.at(8, "15:01:00")
	s.poll("150_soft_deleted", ExitUsage)
	s.kibana.StartJob(s.connector, kibanatest.Full) // the page was still open
	s.kibana.HardDelete(s.connector)
	s.gone = true
	s.at(8, "15:02:00")
	s.poll("151_hard_deleted", ExitUsage)
	s.holds(s.index, numbered(30)...)
	s.holds(".search-acl-filter-"+s.index, "ann", "bob")
}

// TestKibanaNative is a native connector that reads a folder, with a schedule from the first generation of
// Kibana.
func TestKibanaNative(t *testing.T) {
	t.Parallel()
	stages(t, "native", "dir", func(s *stage) {
		for _, name := range []string{"a.txt", "b.txt"} {
			writeFile(t, filepath.Join(s.dir, "notes", name), "text of "+name)
		}
		s.gone = true
		s.poll("010_missing", ExitUsage)
		s.gone = false
		s.kibana.CreateConnector(kibanatest.Connector{ID: s.connector, Name: "Folder", Index: s.index, ServiceType: "dir", Native: true})
		s.look("020_created")
		s.poll("021_published", ExitOK)
		s.at(0, "08:30:00")
		s.kibana.Configure(s.connector, map[string]any{"directory": filepath.Join(s.dir, "notes"), "id_path": "relative"})
		s.kibana.ScheduleSingle(s.connector, "0 0 * * * ?")
		s.look("030_configured")
		s.poll("031_connected", ExitOK)
		s.at(0, "09:00:01")
		s.poll("040_due", ExitOK)
		s.at(0, "09:10:00")
		s.poll("041_once", ExitOK)
		if n := len(s.kibana.Documents(s.index)); n != 2 {
			s.t.Errorf("the index has %d documents, not 2", n)
		}
	})
}

// connected creates a connector of the script, ready to sync.
func (s *stage) connected() {
	s.t.Helper()
	s.script(notes(4, ""))
	s.gone = true
	s.poll("010_missing", ExitUsage)
	s.gone = false
	s.kibana.CreateConnector(kibanatest.Connector{ID: s.connector, Name: "Notes", Index: s.index, ServiceType: s.source})
	s.poll("011_published", ExitOK)
	s.kibana.Configure(s.connector, map[string]any{"script": filepath.Join(s.dir, "script.json")})
	s.poll("012_connected", ExitOK)
}

// TestKibanaDeletesWhileItRuns: the run of a connector that is deleted in the meantime ends, and the documents
// that it wrote stay.
func TestKibanaDeletesWhileItRuns(t *testing.T) {
	t.Parallel()
	stages(t, "deleted", "scripted", func(s *stage) {
		s.connected()
		s.at(0, "09:00:00")
		s.kibana.StartJob(s.connector, kibanatest.Full)
		s.script(notes(4, `, "block": true`))
		p := s.start(true)
		s.waitBlocked(p)
		s.kibana.HardDelete(s.connector)
		s.gone = true
		s.ended(p, "020_deleted", ExitFailed)
		s.holds(s.index) // documents read but not yet written are dropped
	})
}
