package protocol

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
)

func TestTimesAreReadAsAnybodyWritesThem(t *testing.T) {
	t.Parallel()
	want := time.Date(2023, 4, 2, 10, 11, 12, 0, time.UTC)
	for raw, want := range map[string]time.Time{
		`"2023-04-02T10:11:12.123456+00:00"`: want.Add(123456 * time.Microsecond),
		`"2023-04-02T12:11:12.123+02:00"`:    want.Add(123 * time.Millisecond),
		`"2023-04-02T12:11:12.123+0200"`:     want.Add(123 * time.Millisecond),
		`"2023-04-02T10:11:12Z"`:             want,
		`"2023-04-02T10:11:12.5"`:            want.Add(500 * time.Millisecond),
		`"2023-04-02 10:11:12"`:              want,
		`"2023-04-02"`:                       want.Truncate(24 * time.Hour),
		`1680430272000`:                      want,
		`null`:                               {},
		`"yesterday"`:                        {},
		`{}`:                                 {},
		`true`:                               {},
	} {
		var got Time
		if err := json.Unmarshal([]byte(raw), &got); err != nil || !got.Equal(want) {
			t.Errorf("%s is read as %v (%v), want %v", raw, got, err, want)
		}
	}
}

func TestTimesAreWrittenWithMicrosecondsAndOffset(t *testing.T) {
	t.Parallel()
	at := time.Date(2023, 4, 2, 12, 11, 12, 123456789, time.FixedZone("", 7200))
	for want, in := range map[string]Time{
		`"2023-04-02T10:11:12.123456+00:00"`: TimeOf(at),
		`"2023-04-02T10:11:12+00:00"`:        TimeOf(at.Truncate(time.Second)),
		`"2023-04-02T10:11:12.100000+00:00"`: {at.Truncate(100 * time.Millisecond)},
		`null`:                               {},
	} {
		if got, err := json.Marshal(in); err != nil || string(got) != want {
			t.Errorf("%v is written as %s (%v), want %s", in, got, err, want)
		}
	}
}

// TestEditChangesNothingElse: what this program does not know, and what it did not alter, stays unchanged
// at every depth; what it replaced is replaced, not merged.
func TestEditChangesNothingElse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, record, before, after, want string }{
		{"nothing", `{"a":1,"x":2}`, `{"a":1}`, `{"a":1}`, `{"a":1,"x":2}`},
		{"a field", `{"a":1,"x":2}`, `{"a":1}`, `{"a":3}`, `{"a":3,"x":2}`},
		{"a field that was absent", `{"x":2}`, `{"a":null}`, `{"a":3}`, `{"a":3,"x":2}`},
		{"what is absent stays so", `{"a":1}`, `{"a":1,"b":null}`, `{"a":2,"b":null}`, `{"a":2}`},
		{"below", `{"o":{"a":1,"x":{"y":2}}}`, `{"o":{"a":1}}`, `{"o":{"a":3}}`, `{"o":{"a":3,"x":{"y":2}}}`},
		{"a key goes", `{"c":{"old":1}}`, `{"c":{"old":1}}`, `{"c":{"new":2}}`, `{"c":{"new":2}}`},
		{"an object becomes null", `{"c":{"old":1}}`, `{"c":{"old":1}}`, `{"c":null}`, `{"c":null}`},
		{"a list is replaced", `{"l":[{"a":1,"x":2}]}`, `{"l":[{"a":1}]}`, `{"l":[{"a":3}]}`, `{"l":[{"a":3}]}`},
		{"a spelling that was not altered stays", `{"t":"2023-04-02T10:11:12.1Z","n":12345678901234567890,"a":1}`, `{"t":"2023-04-02T10:11:12.100000+00:00","a":1}`, `{"t":"2023-04-02T10:11:12.100000+00:00","a":2}`, `{"t":"2023-04-02T10:11:12.1Z","n":12345678901234567890,"a":2}`},
	} {
		got := edit(json.RawMessage(tt.record), json.RawMessage(tt.before), json.RawMessage(tt.after))
		var g, w any
		if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal([]byte(tt.want), &w)); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if d := cmp.Diff(w, g); d != "" || strings.Contains(tt.want, "12345678901234567890") != strings.Contains(string(got), "12345678901234567890") {
			t.Errorf("%s: %s\n%s", tt.name, got, d)
		}
	}
}

// TestUpdateIsChosenAgain: if another program was first, the change is made again from what that one wrote.
func TestUpdateIsChosenAgain(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	mine := c.connect()
	c.change(func(b *Connector) { b.Description = "theirs" })
	asked := 0
	s := c.store(c.transport)
	got, err := s.Connectors.Update(t.Context(), mine, func(b *Connector) error {
		if asked++; asked == 2 && b.Description != "theirs" {
			t.Errorf("the second time it is %q", b.Description)
		}
		b.Name = "Mine"
		return nil
	})
	if err != nil || asked != 2 || got.Body.Name != "Mine" || got.Body.Description != "theirs" {
		t.Errorf("asked %d times, %v: %+v", asked, err, got.Body)
	}
	if d := cmp.Diff(c.connector().Body.Description, Text("theirs")); d != "" {
		t.Error(d)
	}
	_, err = s.Connectors.Update(t.Context(), mine, func(*Connector) error { return ErrLost })
	if !errors.Is(err, ErrLost) {
		t.Errorf("given up: %v", err)
	}
}

// TestUpdateWritesNothingForNothing: so that polls of an idle connector leave no trace.
func TestUpdateWritesNothingForNothing(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	r := c.connect()
	got, err := c.store(c.transport).Connectors.Update(t.Context(), r, func(b *Connector) error {
		b.Name = string([]byte(b.Name))
		return nil
	})
	if err != nil || got.kept.SeqNo != r.kept.SeqNo {
		t.Errorf("%v: number %d became %d", err, r.kept.SeqNo, got.kept.SeqNo)
	}
}

func TestSchedulingHasTwoShapes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, raw string
		want      Scheduling
		back      string
	}{
		{
			"by type", `{"full":{"enabled":true,"interval":"0 0 * * * ?"},"incremental":{"enabled":false,"interval":"i"}}`,
			Scheduling{Full: Schedule{true, "0 0 * * * ?"}, Incremental: Schedule{false, "i"}},
			"",
		},
		{"the first one", `{"enabled":true,"interval":"0 0 0 * * ?"}`, Scheduling{Full: Schedule{true, "0 0 0 * * ?"}}, `{"enabled":true,"interval":"0 0 0 * * ?"}`},
		{"null", `null`, Scheduling{}, ""},
		{"of another form", `["x"]`, Scheduling{}, ""},
		{"in part of another form", `{"full":{"enabled":"true","interval":5},"incremental":{"enabled":true,"interval":"i"}}`, Scheduling{Full: Schedule{true, ""}, Incremental: Schedule{true, "i"}}, ""},
	} {
		var got Scheduling
		if err := got.UnmarshalJSON([]byte(tt.raw)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		raw, err := json.Marshal(got)
		if err != nil || tt.back != "" && string(raw) != tt.back {
			t.Errorf("%s is written as %s (%v)", tt.name, raw, err)
		}
		got.single = false
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestPipelinesAreFilled(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]Text{
		"8.19.0": "ent-search-generic-ingestion", "7.17.0": "ent-search-generic-ingestion",
		"9.0.0": "search-default-ingestion", "10.1.0": "search-default-ingestion", "": "search-default-ingestion",
	} {
		p := Pipeline{}.Filled(version)
		if p.Name != want || !*p.ExtractBinaryContent || !*p.ReduceWhitespace || !*p.RunMLInference {
			t.Errorf("version %q: %+v", version, p)
		}
	}
	off := Flag(false)
	p := Pipeline{Name: "mine", RunMLInference: &off}.Filled("9.0.0")
	if p.Name != "mine" || *p.RunMLInference || !*p.ReduceWhitespace {
		t.Errorf("what is there is replaced: %+v", p)
	}
}

// FuzzRecords: whatever stands in a record is read without an error but for what is no JSON, and writing
// an unaltered one changes nothing.
func FuzzRecords(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `{"scheduling":{"enabled":true,"interval":"x"},"filtering":null,"features":7,"configuration":"x","pipeline":[1],"status":{},"last_seen":{},"error":["x"]}`,
		`{"connector":{"id":"c","filtering":[{"rules":[]}],"configuration":{"a":{"value":1}}},"status":"pending","metadata":{"elastic_ingest":{"created":"x"}},"indexed_document_count":1e99,"total_document_count":"7"}`,
		`{"connector":null,"job_type":null,"created_at":1680430272000}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		kept := elastic.Record{ID: "x", Source: raw}
		c, errC := read[Connector](kept)
		j, errJ := read[Job](kept)
		if (errC == nil) != json.Valid(raw) || (errJ == nil) != json.Valid(raw) {
			t.Fatalf("errors %v and %v of %q", errC, errJ, raw)
		}
		if errC != nil {
			return
		}
		j.Body.Type()
		for _, typ := range []JobType{JobFull, JobIncremental, JobAccessControl} {
			_, _, _ = Due(c.Body.Scheduling.Of(typ), c.Body.ScheduledAt(typ), time.Unix(1700000000, 0))
		}
		if source, _, err := c.changed(func(*Connector) error { return nil }); source != nil || err != nil {
			t.Fatalf("an unaltered connector is written as %s (%v)", source, err)
		}
		if source, _, err := j.changed(func(*Job) error { return nil }); source != nil || err != nil {
			t.Fatalf("an unaltered job is written as %s (%v)", source, err)
		}
		now := NewJob(&c, JobFull, TriggerScheduled, "9.0.0", time.Unix(1700000000, 0))
		if !now.Connector.sameAs(&now.Connector) {
			t.Fatal("a job is not the same as itself")
		}
	})
}

// TestFieldsOfRecordsAreThoseOfTheIndices: each field of a record is in the mapping, so that it can be
// searched, and a server that keeps to its mapping takes it.
func TestFieldsOfRecordsAreThoseOfTheIndices(t *testing.T) {
	t.Parallel()
	for file, typ := range map[string]reflect.Type{"connectors": reflect.TypeFor[Connector](), "sync-jobs": reflect.TypeFor[Job]()} {
		raw, err := indices.ReadFile("indices/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var body struct {
			Mappings struct {
				Dynamic    any
				Properties map[string]any
			}
		}
		if err := json.Unmarshal(raw, &body); err != nil {
			t.Fatal(err)
		}
		for field := range typ.Fields() {
			name := field.Tag.Get("json")
			if body.Mappings.Properties[name] == nil {
				t.Errorf("%s: no field %s", file, name)
			}
			delete(body.Mappings.Properties, name)
		}
		if len(body.Mappings.Properties) > 0 || body.Mappings.Dynamic != false {
			t.Errorf("%s: fields that no record has: %v", file, body.Mappings.Properties)
		}
	}
}
