// Package source says what a data source is: the interfaces that every folder under sources/
// implements, the descriptor by which the program knows it, and the kinds of errors it returns.
//
// It knows nothing of the destination. Its invariant: a source lists what can be read on its own
// (its parts); how many parts are read concurrently is the engine's decision, so no source
// starts a goroutine. Package sourcecheck holds a source to the comments of these interfaces.
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
	// Validate checks that the configuration makes sense. It is cheap and may ask the data source.
	Validate(context.Context) error
	// Ping checks that the data source can be reached with these credentials. It returns an error once the context
	// is over.
	Ping(context.Context) error
	// Parts lists what can be read, lazily; it is called once and not concurrently, but parts that it
	// yielded may be read while it still runs. An error ends the sequence and means that the list is
	// incomplete: then nothing at all is deleted. A context that is over is such an error. A part that exists
	// but cannot be read is listed as well; its Documents yields the error, and only its scope is not deleted from.
	Parts(context.Context) iter.Seq2[Part, error]
	// Close releases everything. The other methods are not called again.
	Close() error
}

// Part is what can be read on its own: a table, a collection, a bucket prefix, a folder, a key range
// of one of them. Different parts may be read concurrently.
type Part interface {
	// Scope is what deletes are decided by: table, collection, bucket, container, folder. It is the
	// same in every run, and Type.ScopeOf returns it for the part's documents.
	Scope() string
	// Name is the scope, plus the range or prefix if the part is only a share of it. It is not empty, and different
	// in each part. It appears in logs, progress and errors.
	Name() string
	// Documents reads the part: lazily, once, sequentially. An error ends the sequence and fails the
	// scope; it is an [*Error] that names the part. A context that ends before the last document is such an error.
	// When the loop is left early, rows, bodies and handles are released before it returns.
	// Ids are unique within a source and the same in every run; order is free; content is not opened.
	// A source that can resume after a temporary failure does so itself and yields no document twice.
	Documents(context.Context) iter.Seq2[document.Document, error]
	// Ended reports whether Documents came to the part's end: every document of it was yielded. It is
	// asked once that sequence is over. It is false where the sequence failed or its loop was left before the last
	// document. Nothing is deleted in a scope that has a part which did not end. See [Ending].
	Ended() bool
}

// Ending is embedded by a part to keep whether it was read to its end.
type Ending struct{ ended bool }

// End records that every document of the part was yielded. It is called where that is seen, such as where
// the server answered that there are no more rows, and nowhere else.
func (e *Ending) End() { e.ended = true }

// Ended implements [Part].
func (e *Ending) Ended() bool { return e.ended }

// Estimator is a part that knows about how many documents it holds, for the progress line.
type Estimator interface {
	// Estimate returns a number of documents, not negative; ok is false when it is not known. It may be asked for
	// before the part is read and afterwards.
	Estimate() (n int64, ok bool)
}

// Hidden is a part that is known to exist and cannot be seen, such as a table of a schema
// that may not be used. It is not read: its Documents yields an error, and it never ends. Its documents are held back
// as those of a scope that has vanished, but it is never taken for one that was dropped, however often it is hidden.
type Hidden interface {
	Part
	Hidden()
}

// Selective is a source in which a pattern, which may be mistaken, chooses what is read.
type Selective interface {
	Source
	// Selects returns an error of the kind ErrConfig when nothing is chosen. It is asked before an index is created:
	// one that exists may be meant to become empty.
	Selects(context.Context) error
}

// AccessLister is a source that knows who may see its documents. Its documents then carry a list of
// principals, such as "user:ann", in the field _allow_access_control; one without it is seen by all.
type AccessLister interface {
	Source
	// Identities lists users and groups, as Part.Documents does documents: each once, the same in every run, with its
	// principals in query.template.params.access_control, the form that an API key's role takes, see
	// docs/CONNECTOR_PROTOCOL.md.
	Identities(context.Context) iter.Seq2[document.Document, error]
}

// Type describes one kind of source. It is the only exported name of a source's folder.
type Type struct {
	Name   string // the protocol's service_type, such as "postgresql"
	Title  string // what people call it, such as "PostgreSQL"
	Fields []field.Spec
	// VersionPerDocument reports whether, with this configuration, a document's Timestamp changes when the document
	// itself does (files, objects). Otherwise content is compared. nil is never.
	VersionPerDocument func(field.Values) bool
	// VersionFields are top-level text fields that are compared together with the timestamp to see whether a
	// document changed, such as an ETag where times have whole seconds.
	VersionFields []string
	// Tree reports whether scopes are slash-separated paths of a tree whose root is "". Then a scope
	// that fails fails all below it, and one that is absent from a parent listed to its end is gone.
	// In a flat list of scopes one that is absent has vanished, which may be a revoked right.
	Tree bool
	// ScopeFields are the top-level fields of an indexed document from which ScopeOf finds the scope.
	ScopeFields []string
	// ScopeOf finds the scope of a document that is in the index; ok is false when it cannot.
	ScopeOf func(v field.Values, fields map[string]any) (scope string, ok bool)
	// TitleField is the top-level text field by which people know a document whose id says nothing to
	// them, such as the path of a file; "" where ids speak for themselves. It is one of ScopeFields.
	TitleField string
	// Profiles are the ways to name documents and their fields that may be configured beside "head", and
	// Encodings the ways to write values beside "exact".
	Profiles, Encodings []string
	// IdentityFields names the fields of the configuration that say what is mirrored, such as host, port
	// and database; none is a secret. An index that holds another thing's mirror loses nothing. nil is nothing.
	IdentityFields func(field.Values) []string
	// Describes reports whether its parts are [Describer]s. Then their list is held in memory.
	Describes bool
	// CommonFields are the fields that the source adds to documents whatever it reads, such as the name of
	// a table or the time of a file's change. nil is none.
	CommonFields func(field.Values) []DescribedField
	// AdvancedRules reports whether it obeys Env.AdvancedRules.
	AdvancedRules bool
	// AccessControl reports whether its sources are [AccessLister]s.
	AccessControl bool
	// Open connects lazily or at once; it does not change what it connects to.
	Open func(context.Context, field.Values, Env) (Source, error)
}

// Identity names the same fields whatever the configuration, for Type.IdentityFields.
func Identity(names ...string) func(field.Values) []string {
	return func(field.Values) []string { return names }
}

// Env is what a source gets from the program.
type Env struct {
	Log *slog.Logger // carries connector and source; never nil
	// IDColumns names, for a table without a usable key, the columns that tell its rows apart.
	IDColumns map[string][]string
	// Profile and Encoding are "head" and "exact", or one of those that the type names; "" is the former.
	Profile, Encoding string
	// AdvancedRules say, in the source's own terms, what is to be read instead of all that is configured,
	// as decoded JSON; nil for none. They are checked when the source is opened, or validated; the error is of the
	// kind ErrConfig.
	AdvancedRules any
	// IDsOnly says that ids and Type.ScopeFields are enough: other fields may be left out, and no document.
	IDsOnly bool
	// Own are absolute paths of files and folders that this program itself writes, which are no content
	// even where they lie among what is read.
	Own []string
	// StallTimeout is how long a part may be silent before it ends with ErrTemporary; 0 is for ever.
	StallTimeout time.Duration
}
