package protocol

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func managedNow() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }

// managed is a store in memory, with its indices.
func managed(t *testing.T, ensure bool) *Store {
	t.Helper()
	s := openWith(t, elastictest.Embedded(t, embedded.Options{}).Transport(), StoreOptions{Now: managedNow})
	if !ensure {
		return s
	}
	if err := s.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func addJob(t *testing.T, s *Store, id string, j Job) {
	t.Helper()
	if _, err := s.Jobs.Create(t.Context(), id, j); err != nil {
		t.Fatal(err)
	}
}

func jobIDs(jobs []Record[Job]) (ids []string) {
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	return ids
}

func TestRunningJobsAreThoseWithALiveProgram(t *testing.T) {
	t.Parallel()
	s := managed(t, true)
	seen := TimeOf(managedNow().Add(-time.Second))
	of := JobConnector{ID: "c"}
	addJob(t, s, "running", Job{Connector: of, Status: JobInProgress, LastSeen: seen})
	addJob(t, s, "canceling", Job{Connector: of, Status: JobCanceling, LastSeen: seen})
	addJob(t, s, "waiting", Job{Connector: of, Status: JobPending, LastSeen: seen})
	addJob(t, s, "done", Job{Connector: of, Status: JobCompleted, LastSeen: seen})
	addJob(t, s, "vanished", Job{Connector: of, Status: JobInProgress, LastSeen: TimeOf(managedNow().Add(-time.Hour))})
	addJob(t, s, "another's", Job{Connector: JobConnector{ID: "d"}, Status: JobInProgress, LastSeen: seen})
	got, err := s.RunningJobs(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, id := range jobIDs(got) {
		ids[id] = true
	}
	if d := cmp.Diff(map[string]bool{"running": true, "canceling": true}, ids); d != "" {
		t.Error(d)
	}
}

func TestJobsOfAreTheNewestFirst(t *testing.T) {
	t.Parallel()
	s := managed(t, true)
	for i, id := range []string{"second", "third", "first"} {
		at := TimeOf(managedNow().Add([]time.Duration{-2, -3, -1}[i] * time.Hour))
		addJob(t, s, id, Job{Connector: JobConnector{ID: []string{"c", "c", "d"}[i]}, CreatedAt: at})
	}
	for _, tt := range []struct {
		name, connector string
		limit           int
		want            []string
	}{
		{"of all connectors", "", 0, []string{"first", "second", "third"}},
		{"of one", "c", 0, []string{"second", "third"}},
		{"at most so many", "", 2, []string{"first", "second"}},
		{"of one that has none", "e", 0, nil},
	} {
		got, err := s.JobsOf(t.Context(), tt.connector, tt.limit)
		if d := cmp.Diff(tt.want, jobIDs(got)); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", tt.name, err, d)
		}
	}
}

// TestCleanupDoesNotPoll: it ends orphaned jobs, and neither checks connectors nor runs what waits.
func TestCleanupDoesNotPoll(t *testing.T) {
	t.Parallel()
	never := func(what string) { t.Errorf("%s was asked for", what) }
	poller := func(s *Store) *Poller {
		return &Poller{
			Store: s, Log: slog.New(slog.DiscardHandler), Scope: Scope{Own: []Own{{ID: "c"}}},
			Type: func(string) (source.Type, error) { never("a source type"); return source.Type{}, nil },
			Dead: func(string, string) bool { return false },
			Failed: func(id string, err error) {
				t.Errorf("connector %s: %v", id, err)
			},
		}
	}
	empty := managed(t, false)
	if err := poller(empty).Cleanup(t.Context()); err != nil {
		t.Errorf("without any records: %v", err)
	}
	if exist, err := empty.Exist(t.Context()); err != nil || exist {
		t.Errorf("it created indices (%v)", err)
	}

	s := managed(t, true)
	if _, err := s.Connectors.Create(t.Context(), "c", Connector{Status: ConnectorConnected, LastSyncStatus: JobInProgress}); err != nil {
		t.Fatal(err)
	}
	addJob(t, s, "vanished", Job{Connector: JobConnector{ID: "c"}, JobType: JobFull, Status: JobInProgress, StartedAt: TimeOf(managedNow().Add(-time.Hour)), LastSeen: TimeOf(managedNow().Add(-time.Hour))})
	addJob(t, s, "waiting", Job{Connector: JobConnector{ID: "c"}, JobType: JobFull, Status: JobPending})
	addJob(t, s, "orphan", Job{Connector: JobConnector{ID: "gone"}, JobType: JobFull, Status: JobPending})
	if err := poller(s).Cleanup(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := map[string]JobStatus{}
	for _, id := range []string{"vanished", "waiting", "orphan"} {
		j, err := s.Jobs.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		got[id] = j.Body.Status
	}
	want := map[string]JobStatus{"vanished": JobSuspended, "waiting": JobPending, "orphan": JobError}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
