// Package config reads the configuration file, config.yml or any .toml with the
// same keys, and the environment into one checked struct.
//
// It knows the keys, their types and the combinations that contradict each
// other. It knows nothing about the kinds of sources and never connects to
// anything: whether a host responds or a table exists is checked by the users
// of the values.
//
// The invariant: [Load] returns either a configuration in which every value was
// checked, or errors that name file, line and key; and no secret, wherever
// it comes from, appears in an error, a warning or a printed value.
//
// # Keys without effect
//
// These keys of other programs' files are accepted, so that an existing file
// loads unchanged, and do nothing here:
//
//   - service.trace_mem, service.max_concurrent_scheduling_tasks and
//     service.incremental_sync_interval_seconds: one run does not trace its own
//     memory, nor schedule in parallel, nor look back a fixed time.
//   - service.fips_mode: Go has its own switch, GODEBUG=fips140=on; a warning
//     says so when the key is true.
//   - elasticsearch.log_level and elasticsearch.serverless: there is only one
//     log, and the kind of destination is detected.
//   - elasticsearch.bulk.queue_max_size, queue_refresh_interval,
//     queue_refresh_timeout and concurrent_downloads: the queue is bounded in
//     bytes, by engine.budget, and a full one waits instead of failing.
//     queue_max_mem_size is read as engine.budget if that is not set.
//   - elasticsearch.bulk.max_retries, retry_interval, max_text_document_size
//     and enable_operations_logging: bulk items are retried by
//     elasticsearch.max_retries and retry_interval, documents are not dropped
//     because of their size, and the log has no line per document.
//   - _force_allow_native.
package config

import "time"

// A Config is a loaded and checked configuration.
type Config struct {
	// File is the absolute path of the configuration file and Dir its folder.
	// Relative paths in the file have been resolved against Dir.
	File, Dir string

	Elasticsearch Elasticsearch
	Service       Service
	Engine        Engine
	Extraction    Extraction
	Connectors    []Connector
	// NativeServiceTypes are the service types whose native connectors are
	// served too.
	NativeServiceTypes []string
	// Sources maps a service type to "builtin:TYPE" or "exec:PROGRAM ARGUMENTS";
	// see [Config.SourceCommand]. Files of other programs list types that are not
	// built in, and classes of their users: such a TYPE is then unknown, and
	// only a connector that uses it is in error.
	Sources map[string]string
	// Warnings are messages that do not prevent a run.
	Warnings []string
	// Origins lists every key with its value and where it came from, in the
	// order of reading.
	Origins []Origin
	// Dotenv is the .env file that took part, empty if there is none.
	Dotenv string
}

// Elasticsearch defines where the destination is and how to reach it.
type Elasticsearch struct {
	// Host is an http or https address without credentials, or "embedded:"
	// followed by an absolute folder. It is empty when CloudID is given.
	Host    string
	CloudID string

	// At most one credential is left: an API key takes precedence over a user.
	Username    string
	Password    Secret
	APIKey      Secret // encoded, or id:key
	BearerToken Secret

	SSL           bool
	CACerts       string // a file
	CAFingerprint string // SHA-256, 64 lower case hexadecimal digits
	ClientCert    string // a file
	ClientKey     string // a file
	VerifyCerts   bool
	Headers       Headers

	RequestTimeout    time.Duration
	MaxWaitDuration   time.Duration // how long to wait for the destination at the start
	InitialBackoff    time.Duration
	BackoffMultiplier float64
	MaxRetries        int
	RetryInterval     time.Duration
	RetryOnTimeout    bool
	// UseConnectorsAPI makes connectors and sync jobs read and written by
	// Elasticsearch's Connector APIs if it has them; otherwise their indices
	// are used directly.
	// https://www.elastic.co/docs/api/doc/elasticsearch/group/endpoint-connector
	UseConnectorsAPI bool
	// LanguageCode is the language of new indices of connectors without one, or empty.
	LanguageCode string
	// AnalysisICU asks for the ICU analysis plugin in new indices.
	AnalysisICU bool

	Bulk Bulk
}

// Bulk limits bulk requests.
type Bulk struct {
	// ChunkSize is how many operations a request holds. The value 1000 in a
	// file is read as 500: it is the default of the Python service, which
	// counts the two lines of an operation.
	ChunkSize       int
	ChunkMaxMemSize int64 // bytes; a plain number in the file is MiB
	MaxConcurrency  int
	DisplayEvery    int // documents between two lines of progress in the log
	ErrorMonitor    ErrorMonitor
}

// ErrorMonitor defines when failing operations end a run.
type ErrorMonitor struct {
	Enabled              bool
	MaxTotalErrors       int
	MaxConsecutiveErrors int
	MaxErrorRate         float64 // share of ErrorWindowSize operations
	ErrorWindowSize      int
	ErrorQueueSize       int
}

// Service is how the program behaves when Elasticsearch drives it.
type Service struct {
	LogLevel                        string // DEBUG, INFO, WARNING, ERROR, CRITICAL, or empty
	Idling                          time.Duration
	Heartbeat                       time.Duration
	PreflightMaxAttempts            int
	PreflightIdle                   time.Duration
	MaxErrors                       int
	MaxErrorsSpan                   time.Duration
	MaxConcurrentSyncs              int // content syncs
	MaxConcurrentAccessControlSyncs int
	JobCleanupInterval              time.Duration
	MaxFileDownloadSize             int64 // bytes
	// PingURL is where the start and the end of a run are reported.
	PingURL Secret
	// WorkerMode serves every connector whose service type is one of
	// ServiceTypes, in addition to those that are named. ServiceTypes is not
	// empty then, and has no effect otherwise.
	WorkerMode   bool
	ServiceTypes []string
}

// Engine limits the resources of a run.
type Engine struct {
	Readers       int
	Budget        int64 // bytes of documents in flight
	IDsMemory     int64 // bytes of ids before they spill to a file
	EmbeddedCache int64 // bytes
	StallTimeout  time.Duration
	ShutdownGrace time.Duration
}

// Extraction is the text extraction service; without a Host there is none.
type Extraction struct {
	Host            string
	Type            string        // auto, elastic or tika
	Timeout         time.Duration // how long the service may make no progress
	UseFilePointers bool
	StreamChunkSize int64 // bytes: what counts as progress
	SharedVolumeDir string
	MaxTextSize     int64 // bytes; longer text is truncated
	MaxFileSize     int64 // bytes; 0: any size
}

// FromDefault is the origin of a value that is set nowhere.
const FromDefault = "default"

// An Origin is one key, its value in printable form, and where it came from:
// a line of the file, with the variables and files that the value refers to, an
// environment variable, or the default.
type Origin struct {
	Key, Value, From string
	// Written reports that a file of the configuration holds the value itself: it
	// is not the default, and no part of it comes from a variable or another file.
	Written bool
}

// A Connector is an entry of connectors: one of this file, which has a Name, or
// one of Elasticsearch, which has a ConnectorID.
type Connector struct {
	Name        string
	ConnectorID string
	ServiceType string
	IndexName   string
	// Configuration holds raw values; ResolveConfiguration prepares them
	// for the source.
	Configuration Configuration
	Pipeline      string
	Extraction    string // auto, pipeline, service, inline or off
	Language      string
	Rules         []Rule
	AdvancedRules any
	// IDColumns names, by table, the columns that identify a row.
	IDColumns map[string][]string
	Mappings  string // a file
	// Schedule maps a job type (full, incremental, access_control) to a Quartz
	// cron expression, which is not empty and otherwise not checked here.
	Schedule map[string]string
	Guard    Guard
	Adopt    bool   // of Elasticsearch: take over an index that has documents and no owner
	Profile  string // head, seed87 or native
	Encoding string // exact or compat
	APIKey   Secret // used instead of the general one
	Line     int    // where the entry begins in the file

	origin *origin
}

// A Rule is a basic sync rule in the protocol's form.
type Rule struct {
	ID, Policy, Field, Rule, Value string
	Order                          float64
}

// A Guard defines how many deletes are allowed without confirmation: they are
// held back if there are more than MaxDeletes and also more than MaxPercent of the index.
type Guard struct {
	MaxDeletes int
	MaxPercent float64
}
