package protocol

import (
	"encoding/json"
	"time"
)

// Connector is the record that Kibana shows. Fields that are not listed are kept unchanged.
// See docs/CONNECTOR_PROTOCOL.md for who writes what.
type Connector struct {
	APIKeyID                         Text            `json:"api_key_id"`
	APIKeySecretID                   Text            `json:"api_key_secret_id"`
	Configuration                    Configuration   `json:"configuration"`
	CustomScheduling                 Raw             `json:"custom_scheduling"`
	Deleted                          Flag            `json:"deleted"`
	Description                      Text            `json:"description"`
	Error                            Text            `json:"error"`
	Features                         Features        `json:"features"`
	Filtering                        Filterings      `json:"filtering"`
	IndexName                        Text            `json:"index_name"`
	IsNative                         Flag            `json:"is_native"`
	Language                         Text            `json:"language"`
	LastSeen                         Time            `json:"last_seen"`
	LastSynced                       Time            `json:"last_synced"`
	LastSyncStatus                   JobStatus       `json:"last_sync_status"`
	LastSyncError                    Text            `json:"last_sync_error"`
	LastSyncScheduledAt              Time            `json:"last_sync_scheduled_at"`
	LastIncrementalSyncScheduledAt   Time            `json:"last_incremental_sync_scheduled_at"`
	LastAccessControlSyncStatus      JobStatus       `json:"last_access_control_sync_status"`
	LastAccessControlSyncError       Text            `json:"last_access_control_sync_error"`
	LastAccessControlSyncScheduledAt Time            `json:"last_access_control_sync_scheduled_at"`
	LastIndexedDocumentCount         Count           `json:"last_indexed_document_count"`
	LastDeletedDocumentCount         Count           `json:"last_deleted_document_count"`
	Name                             string          `json:"name"`
	Pipeline                         Pipeline        `json:"pipeline"`
	Scheduling                       Scheduling      `json:"scheduling"`
	ServiceType                      Text            `json:"service_type"`
	Status                           ConnectorStatus `json:"status"`
	SyncCursor                       Raw             `json:"sync_cursor"`
	SyncNow                          Flag            `json:"sync_now"`
}

// Pipeline is how documents go through an ingest pipeline. Missing settings have their defaults.
type Pipeline struct {
	Name                 Text  `json:"name"`
	ExtractBinaryContent *Flag `json:"extract_binary_content"`
	ReduceWhitespace     *Flag `json:"reduce_whitespace"`
	RunMLInference       *Flag `json:"run_ml_inference"`
}

// The pipelines that Elasticsearch provides for connectors, before version 9 and since.
const (
	genericPipeline = "ent-search-generic-ingestion"
	searchPipeline  = "search-default-ingestion"
)

// DefaultPipeline is the pipeline of a connector that names none, on a server of this version.
func DefaultPipeline(version string) Text {
	if len(version) > 1 && version[1] == '.' && version[0] < '9' {
		return genericPipeline
	}
	return searchPipeline
}

// Filled returns p with defaults for missing settings, for a server of this version.
func (p Pipeline) Filled(version string) Pipeline {
	if p.Name == "" {
		p.Name = DefaultPipeline(version)
	}
	for _, f := range []**Flag{&p.ExtractBinaryContent, &p.ReduceWhitespace, &p.RunMLInference} {
		if *f == nil {
			on := Flag(true)
			*f = &on
		}
	}
	return p
}

// Scheduling is when jobs are due, by their type. It also reads the older form with a single schedule,
// which is that of full jobs.
type Scheduling struct {
	Full          Schedule `json:"full"`
	Incremental   Schedule `json:"incremental"`
	AccessControl Schedule `json:"access_control"`

	single bool // the older form, kept until another schedule is set
}

// Schedule is one schedule: a Quartz cron expression in UTC.
type Schedule struct {
	Enabled  Flag   `json:"enabled"`
	Interval string `json:"interval"`
}

// Midnight is the schedule of new records, disabled.
const Midnight = "0 0 0 * * ?"

// NewScheduling has no enabled schedule, as in new records.
func NewScheduling() Scheduling {
	off := Schedule{Interval: Midnight}
	return Scheduling{Full: off, Incremental: off, AccessControl: off}
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Scheduling) UnmarshalJSON(b []byte) error {
	type byType Scheduling
	*s = Scheduling{}
	fields, _ := fieldsOf(b)
	_, enabled := fields["enabled"]
	_, interval := fields["interval"]
	if s.single = enabled || interval; s.single {
		_ = json.Unmarshal(b, &s.Full) // any other form is no schedule
	} else {
		_ = json.Unmarshal(b, (*byType)(s))
	}
	return nil
}

// MarshalJSON implements [json.Marshaler].
func (s Scheduling) MarshalJSON() ([]byte, error) {
	type byType Scheduling
	if s.single && s.Incremental == (Schedule{}) && s.AccessControl == (Schedule{}) {
		return json.Marshal(s.Full)
	}
	return json.Marshal(byType(s))
}

// Of is the schedule of a type of jobs.
func (s Scheduling) Of(t JobType) Schedule {
	switch t {
	case JobIncremental:
		return s.Incremental
	case JobAccessControl:
		return s.AccessControl
	}
	return s.Full
}

// ScheduledAt is the last scheduled time for which a job of a type was created.
func (c *Connector) ScheduledAt(t JobType) time.Time { return c.scheduledAt(t).Time }

func (c *Connector) scheduledAt(t JobType) *Time {
	switch t {
	case JobIncremental:
		return &c.LastIncrementalSyncScheduledAt
	case JobAccessControl:
		return &c.LastAccessControlSyncScheduledAt
	}
	return &c.LastSyncScheduledAt
}

// lastStatus is the status and the error of the last job of the family that t belongs to: that of
// content, or that of access control.
func (c *Connector) lastStatus(t JobType) (*JobStatus, *Text) {
	if t == JobAccessControl {
		return &c.LastAccessControlSyncStatus, &c.LastAccessControlSyncError
	}
	return &c.LastSyncStatus, &c.LastSyncError
}

// AccessControlIndex is the index of the identities that may see documents of a content index.
func AccessControlIndex(content string) string { return ".search-acl-filter-" + content }

// Filterings are the rules of a connector, by domain. It reads any JSON.
type Filterings []Filtering

// UnmarshalJSON implements [json.Unmarshaler].
func (f *Filterings) UnmarshalJSON(b []byte) error {
	*f = ReadFiltering(b)
	return nil
}

// Snapshot returns the rules that a job stores: the active rules of the only domain in use.
func (f Filterings) Snapshot() Snapshot {
	if at := Default(f); at >= 0 {
		return Snapshot{f[at].Active}
	}
	return Snapshot{}
}
