package protocol

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Job is the record of one run. Fields that are not listed are kept unchanged.
type Job struct {
	Connector              JobConnector `json:"connector"`
	TriggerMethod          Trigger      `json:"trigger_method"`
	JobType                JobType      `json:"job_type"`
	Status                 JobStatus    `json:"status"`
	CreatedAt              Time         `json:"created_at"`
	StartedAt              Time         `json:"started_at"`
	CompletedAt            Time         `json:"completed_at"`
	CanceledAt             Time         `json:"canceled_at"`
	CancelationRequestedAt Time         `json:"cancelation_requested_at"`
	LastSeen               Time         `json:"last_seen"`
	WorkerHostname         Text         `json:"worker_hostname"`
	Error                  Text         `json:"error"`
	IndexedDocumentCount   Count        `json:"indexed_document_count"`
	IndexedDocumentVolume  Count        `json:"indexed_document_volume"` // MiB
	DeletedDocumentCount   Count        `json:"deleted_document_count"`
	TotalDocumentCount     *Count       `json:"total_document_count"` // nil until the job has ended
	Metadata               Metadata     `json:"metadata"`
}

// JobConnector is a job's copy of its connector, from the time when the job was created.
type JobConnector struct {
	ID            string        `json:"id"`
	Filtering     Snapshot      `json:"filtering"`
	IndexName     Text          `json:"index_name"`
	Language      Text          `json:"language"`
	Pipeline      Pipeline      `json:"pipeline"`
	ServiceType   Text          `json:"service_type"`
	Configuration Configuration `json:"configuration"`
	SyncCursor    Raw           `json:"sync_cursor"`
}

// Metadata is the free part of a job. "elastic_ingest" holds what this program reports about its run;
// other keys belong to other programs.
type Metadata map[string]json.RawMessage

// ours is the key of [Details] in the metadata.
const ours = "elastic_ingest"

// Details are what this program reports about a run beyond the fields of the protocol.
type Details struct {
	Type          JobType          `json:"type,omitempty"` // deletion, which the protocol does not define
	Created       int64            `json:"created,omitempty"`
	Updated       int64            `json:"updated,omitempty"`
	Kept          int64            `json:"kept,omitempty"`
	Withheld      int64            `json:"withheld,omitempty"`
	Rejected      int64            `json:"rejected,omitempty"`
	Dropped       int64            `json:"dropped,omitempty"`
	Duplicates    int64            `json:"duplicates,omitempty"`
	ContentErrors int64            `json:"content_errors,omitempty"`
	FailedParts   int64            `json:"failed_parts,omitempty"`
	NotIndexed    map[string]int64 `json:"not_indexed,omitempty"` // documents, by the field whose values are only in _source
	Note          string           `json:"note,omitempty"`        // for a person who looks at a completed job
	Claim         string           `json:"claim,omitempty"`       // distinguishes the program that runs the job from others
	Lost          int              `json:"lost,omitempty"`        // how many programs vanished while running it
}

// Details reads what this program reported about the job.
func (m Metadata) Details() (d Details) {
	_ = json.Unmarshal(m[ours], &d) // any other form is not ours
	return d
}

// with returns m with d in it.
func (m Metadata) with(d Details) Metadata {
	out := Metadata{}
	maps.Copy(out, m)
	raw, err := json.Marshal(d)
	if err != nil { // cannot happen: numbers and texts
		panic(err)
	}
	delete(out, ours)
	if string(raw) != "{}" {
		out[ours] = raw
	}
	return out
}

// Type is the type of the job; a deletion job is stored as a full one.
func (j *Job) Type() JobType {
	switch {
	case j.JobType == "":
		return JobFull // the older protocol had no other
	case j.JobType == JobFull && j.Metadata.Details().Type == JobDeletion:
		return JobDeletion
	}
	return j.JobType
}

// stored is the type under which the protocol stores a job.
func (t JobType) stored() JobType {
	if t == JobDeletion {
		return JobFull
	}
	return t
}

// NewJob is a job with the connector's current settings, on a server of this version.
func NewJob(c *Record[Connector], t JobType, trigger Trigger, version string, now time.Time) Job {
	b := &c.Body
	j := Job{
		Connector: JobConnector{
			ID: c.ID, IndexName: b.IndexName, Language: b.Language, Pipeline: b.Pipeline.Filled(version),
			ServiceType: b.ServiceType, Configuration: b.Configuration, Filtering: b.Filtering.Snapshot(),
		},
		TriggerMethod: trigger, JobType: t.stored(), Status: JobPending, CreatedAt: TimeOf(now), LastSeen: TimeOf(now),
	}
	if t == JobAccessControl {
		j.Connector.IndexName = Text(AccessControlIndex(string(b.IndexName)))
	}
	if t == JobDeletion {
		j.Metadata = j.Metadata.with(Details{Type: JobDeletion})
	}
	return j
}

// maxError is the longest error text of a record in bytes. The keyword field may have 32,766; people
// read less.
const maxError = 4000

// sameAs reports whether two jobs of a connector have the same effect: read the same source by the same
// rules into the same index.
func (c *JobConnector) sameAs(o *JobConnector) bool {
	return c.IndexName == o.IndexName && c.ServiceType == o.ServiceType && c.Filtering.sameAs(o.Filtering.Rules) &&
		c.Configuration.sameValues(o.Configuration)
}

// sameAs compares what rules do, not their dates, authors or validation.
func (s Snapshot) sameAs(o Rules) bool {
	return slices.Equal(s.Basic(), o.Basic()) && (s.AdvancedSnippet.Empty() && o.AdvancedSnippet.Empty() || equalJSON(s.AdvancedSnippet.Value, o.AdvancedSnippet.Value))
}

// sameValues compares the values of fields, not their presentation in a form.
func (c Configuration) sameValues(o Configuration) bool {
	return maps.EqualFunc(c, o, func(a, b json.RawMessage) bool {
		x, y := fieldValue(a), fieldValue(b)
		return equalJSON(x, y)
	})
}

// fieldValue is the value of a stored field, which may be a bare value.
func fieldValue(raw json.RawMessage) json.RawMessage {
	properties, ok := fieldsOf(raw)
	if !ok {
		return raw
	}
	if value, ok := properties["value"]; ok {
		return value
	}
	return json.RawMessage("null")
}
