// Package source defines a data source: the interfaces that every folder under sources/ implements, the descriptor
// by which the program knows it, and the kinds of errors it returns.
//
// It knows nothing about the destination. Its invariant: a source lists its parts, which can be read
// independently. The engine decides how many parts are read concurrently, so no source starts a goroutine. Package
// sourcecheck checks a source against the comments of these interfaces.
package source

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// Source is one opened, configured data source. It only ever reads.
type Source interface {
	// Validate checks the configuration. It is cheap and may query the data source.
	Validate(context.Context) error
	// Ping checks that the data source can be reached with these credentials. It returns an error if the context
	// has ended.
	Ping(context.Context) error
	// Parts lists the parts of the source, lazily. It is called once and not concurrently, but parts that it
	// yielded may be read while it still runs. An error ends the sequence and means that the list is incomplete:
	// then nothing is deleted. The end of the context is such an error. A part that exists but cannot be read is
	// listed as well: its Documents yields the error, and only its scope is protected from deletes.
	Parts(context.Context) iter.Seq2[Part, error]
	// Close releases everything. The other methods are not called again.
	Close() error
}

// Part is what can be read independently: a table, a collection, a bucket prefix, a folder, or a key range of one
// of them. Different parts may be read concurrently.
type Part interface {
	// Scope is the unit of deletes: table, collection, bucket, container, folder. It is the same in every run, and
	// Type.ScopeOf returns it for the part's documents.
	Scope() string
	// Name is the scope, plus the range or prefix if the part covers only some of it. It is not empty, and
	// different for each part. It appears in logs, progress and errors.
	Name() string
	// Documents reads the part: lazily, once, sequentially. An error ends the sequence and fails the scope; it is
	// an [*Error] that names the part. A context that ends before the last document is such an error. If the
	// caller leaves the loop early, rows, bodies and handles are released before it returns. Ids are unique within
	// a source and the same in every run; the order is free; content is not opened. A source that can resume after
	// a temporary failure does so itself and yields no document twice.
	Documents(context.Context) iter.Seq2[document.Document, error]
	// Ended reports whether Documents reached the part's end: every document of it was yielded. It is called after
	// that sequence. It is false if the sequence failed or its loop was left before the last document. Nothing is
	// deleted in a scope with a part that did not end. See [Ending].
	Ended() bool
}

// Ending is embedded by a part to record whether it was read completely.
type Ending struct{ ended bool }

// End records that every document of the part was yielded. It is called only where the end is known for certain,
// such as after the server's response that there are no more rows.
func (e *Ending) End() { e.ended = true }

// Ended implements [Part].
func (e *Ending) Ended() bool { return e.ended }

// Estimator is a part that can estimate its number of documents, for the progress line.
type Estimator interface {
	// Estimate returns a number of documents, not negative; ok is false if it is unknown. It may be called before
	// the part is read and afterwards.
	Estimate() (n int64, ok bool)
}

// Hidden is a part that is known to exist but is not visible, such as a table of a schema without the privilege
// USAGE. It is not read: its Documents yields an error, and it never ends. Its documents are held back like those
// of a missing scope, but it never counts as dropped, however often it is hidden.
type Hidden interface {
	Part
	Hidden()
}

// Absent is a part, which fails, for something that the configuration names and the source does not have.
type Absent interface {
	Part
	Absent() error // why it fails
}

// Verifier is a source of parts that other programs may be writing while they are read, such as files of records: a
// half-written file is not a file with half of the records.
type Verifier interface {
	Source
	// Verify returns an error if a scope that was read completely may by now hold something else than what was read.
	// It is called after everything was read, before documents of the scope are deleted, and may wait for a moment.
	// It may be called concurrently, for different scopes.
	Verify(ctx context.Context, scope string) error
}

// Selective is a source in which a pattern, which may be wrong, selects what is read.
type Selective interface {
	Source
	// Selects returns an error of the kind ErrConfig if nothing is selected. It is called before an index is
	// created: an existing index may be emptied on purpose.
	Selects(context.Context) error
}

// AccessLister is a source that knows who may read its documents. Its documents carry a list of principals, such
// as "user:ann", in the field _allow_access_control; a document without the field is visible to all.
type AccessLister interface {
	Source
	// Identities lists users and groups, as Part.Documents does documents: each once, the same in every run, with
	// its principals in query.template.params.access_control, the form for the role of an API key, see
	// docs/CONNECTOR_PROTOCOL.md.
	Identities(context.Context) iter.Seq2[document.Document, error]
}

// Type describes one kind of source. It is the only exported name of a source's folder.
type Type struct {
	Name   string // the protocol's service_type, such as "postgresql"
	Title  string // name for people, such as "PostgreSQL"
	Fields []field.Spec
	// VersionPerDocument reports whether, with this configuration, a document's Timestamp changes when the
	// document itself does (files, objects). Otherwise content is compared. nil means never.
	VersionPerDocument func(field.Values) bool
	// VersionFields are top-level text fields that are compared together with the timestamp to detect a change,
	// such as an ETag if times have whole seconds.
	VersionFields []string
	// Tree reports whether scopes are slash-separated paths of a tree whose root is "". Then a failed scope fails
	// everything below it, and a scope is deleted if its parent was listed completely without it. In a flat list,
	// a missing scope may be a revoked privilege.
	Tree bool
	// SharedIDs reports whether documents of different scopes may have the same id, because users choose the ids. Such
	// parts are read one after the other, in the order of their list, so that every run keeps the same document. (If a
	// time limit ended the previous run, its rest comes first.)
	// nil means never. A [Describer] reports it for each part instead.
	SharedIDs func(field.Values) bool
	// ScopeNoun is what people call a scope, such as "table". nil means "part".
	ScopeNoun func(field.Values) string
	// ScopeFields are the top-level fields of an indexed document from which ScopeOf derives the scope.
	ScopeFields []string
	// ScopeOf derives the scope of a document in the index; ok is false if it cannot.
	ScopeOf func(v field.Values, fields map[string]any) (scope string, ok bool)
	// TitleField is the top-level text field that names a document to people, if its id means nothing to them,
	// such as the path of a file; "" if the id is enough. It is one of ScopeFields.
	TitleField string
	// Profiles are the ways to name documents and their fields, besides "head", and Encodings the ways to write
	// values, besides "exact", that can be configured.
	Profiles, Encodings []string
	// IdentityFields names the fields of the configuration that identify the mirrored data, such as host, port and
	// database; none is a secret. A run deletes nothing from an index that mirrors other data. nil means none.
	IdentityFields func(field.Values) []string
	// Describes reports whether its parts are [Describer]s. If so, their list is held in memory.
	Describes bool
	// CommonFields are the fields that the source adds to all documents, such as the name of a table or the
	// modification time of a file. nil is none.
	CommonFields func(field.Values) []DescribedField
	// AdvancedRules reports whether it supports Env.AdvancedRules.
	AdvancedRules bool
	// AccessControl reports whether its sources are [AccessLister]s.
	AccessControl bool
	// Open connects lazily or immediately; it does not change the data source.
	Open func(context.Context, field.Values, Env) (Source, error)
}

// Identity returns the names for Type.IdentityFields if they do not depend on the configuration.
func Identity(names ...string) func(field.Values) []string {
	return func(field.Values) []string { return names }
}

// Noun returns a word for Type.ScopeNoun if it does not depend on the configuration.
func Noun(word string) func(field.Values) string {
	return func(field.Values) string { return word }
}

// NounOf is what people call a scope of a source of this type.
func (t *Type) NounOf(v field.Values) string {
	if t.ScopeNoun == nil {
		return "part"
	}
	return t.ScopeNoun(v)
}

// Env is what the program provides to a source.
type Env struct {
	Log *slog.Logger // carries connector and source; never nil
	// IDColumns names, for a table without a usable key, the columns that identify its rows.
	IDColumns map[string][]string
	// Profile and Encoding are "head" and "exact", or a value that the type lists; "" means the former.
	Profile, Encoding string
	// AdvancedRules say, in the source's own terms, what to read instead of everything configured, as decoded
	// JSON; nil for none. They are checked by Open or Validate; the error is of the kind ErrConfig.
	AdvancedRules any
	// IDsOnly says that ids and Type.ScopeFields are enough: other fields may be left out, but no document.
	IDsOnly bool
	// Own lists absolute paths of files and folders that this program itself writes. They are not content, even if
	// they are in the folders to read.
	Own []string
	// StallTimeout is how long a part may be silent before it ends with ErrTemporary; 0 means no limit.
	StallTimeout time.Duration
}
