package protocol

import "testing"

// TestTheCursorOfACompletedJob: it stands in the connector's record and in the next incremental job, and a
// job that did not complete leaves it as it was.
func TestTheCursorOfACompletedJob(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	r := c.connect()
	s := c.store(c.transport)
	run := func(kind JobType, e Ending) {
		t.Helper()
		claim, err := s.Claim(t.Context(), c.started(s, r, kind), "host", NewToken())
		if err != nil {
			t.Fatal(err)
		}
		want := "null"
		if kind == JobIncremental {
			want = string(mustEncode(c.connector().Body.SyncCursor))
		}
		if got := string(mustEncode(claim.Job.Body.Connector.SyncCursor)); got != want {
			t.Errorf("the job has the cursor %s, want %s", got, want)
		}
		if err := claim.Finish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		kind JobType
		end  Ending
		want string
	}{
		{JobFull, Ending{Event: JobEventComplete}, `null`},
		{JobFull, Ending{Event: JobEventComplete, Cursor: Raw(`{"resume_token":"1"}`)}, `{"resume_token":"1"}`},
		{JobIncremental, Ending{Event: JobEventFail, Error: "broken", Cursor: Raw(`{"resume_token":"2"}`)}, `{"resume_token":"1"}`},
		{JobIncremental, Ending{Event: JobEventComplete}, `{"resume_token":"1"}`},
		{JobIncremental, Ending{Event: JobEventComplete, Cursor: Raw(`{"resume_token":"3"}`)}, `{"resume_token":"3"}`},
		{JobFull, Ending{Event: JobEventComplete, Cursor: Raw(`{"operation_time":"1.1"}`)}, `{"operation_time":"1.1"}`},
	} {
		run(tt.kind, tt.end)
		if got := string(mustEncode(c.connector().Body.SyncCursor)); got != tt.want {
			t.Errorf("after %s %s: %s, want %s", tt.kind, tt.end.Cursor, got, tt.want)
		}
	}
}
