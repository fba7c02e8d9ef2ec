package sqlread

import (
	"context"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Session is a connection of a dialect with its snapshot. A dialect embeds a [Conn] in its own.
type Session interface {
	Snapshot
	// Link is the connection.
	Link() *Conn
}

// Dialect is what a database contributes that is read through a driver of database/sql: how to connect to it, its
// catalog, how its snapshots begin, how a statement is written and a value read, and what its errors mean. S is its
// session, V the type of its raw values.
type Dialect[S Session, V any] interface {
	// Dial opens a session without settings, and SetUp sets everything that values and statements depend on.
	Dial(ctx context.Context) (S, error)
	SetUp(ctx context.Context, s S) error
	// ConnectError explains why no session could be opened.
	ConnectError(err error) error
	// Probe selects a constant.
	Probe(ctx context.Context, s S) error

	// Catalogue reads the catalog.
	Catalogue(ctx context.Context, s S) (*Catalogue, error)
	// Wants reports whether the configuration includes a table.
	Wants(r *Relation) bool
	// Unmatched returns failing parts for the names of the table list that match no table.
	Unmatched(c *Catalogue) []source.Part
	// Select finds the tables of a rule; missing are the names that do not exist.
	Select(c *Catalogue, r *Rule) (s *Selection, missing []string, err error)
	// Combined is the name of a rule's part: its tables together.
	Combined(s *Selection) Relation

	// Begin takes the snapshots of the run, for which first is the first session, and adds the sessions to the pool.
	// It returns the parts to read: the tables, some of them cut into ranges. After an error no session is left open.
	Begin(ctx context.Context, first S, tables []*Part[S, V]) ([]*Part[S, V], error)
	// Enter begins the transaction of a session that is opened to check rules, or late, if it needs one.
	Enter(ctx context.Context, s S) error
	// Check checks, without running it, whether the query of a rule only reads, and whether a key identifies
	// its rows.
	Check(ctx context.Context, s S, p *Part[S, V]) error

	// Acquire acquires a session for a part; used reports whether it was in the pool. Most dialects use [Database.Acquire].
	Acquire(ctx context.Context, p *Part[S, V]) (s S, used bool, err error)
	// Late opens a session whose snapshot is taken after those of the run, as [Database.Late] does.
	Late(ctx context.Context) (S, error)
	// Restore prepares a session for another part. It returns false if the session can no longer be used.
	Restore(ctx context.Context, s S) bool
	// Usable reports whether a session can be used again after the result err.
	Usable(ctx context.Context, s S, err error) bool
	// End ends a session, and any statement it is still running.
	End(ctx context.Context, s S)

	// Open starts to read a part, with [Part.OpenNext].
	Open(ctx context.Context, p *Part[S, V]) (*Reader[S, V], error)
	// Start starts to read on the session of the reader; if before is given, after its position and in the same way.
	// cause is why before ended early.
	Start(ctx context.Context, r, before *Reader[S, V], cause error) error
	// Abandon closes the statement of a reader as far as possible. It returns the last result of the session.
	Abandon(r *Reader[S, V], left bool, lost error) error
	// Resumable reports whether reading can resume after the position of a reader.
	Resumable(r *Reader[S, V], cause error) bool

	// Describe reads the columns and the key of a table, and LookUp those of a part that need not be readable. If
	// LookUp returns a table, its only error is one about the key.
	Describe(ctx context.Context, s S, p *Part[S, V]) (*Table[V], error)
	LookUp(ctx context.Context, s S, p *Part[S, V]) (*Table[V], error)
	// KeyOf finds the columns that identify the rows of a table; nil if there are none.
	KeyOf(ctx context.Context, s S, r *Relation) ([]string, error)
	// DeclaredKey returns the columns that the configuration names for a table.
	DeclaredKey(r *Relation) []string
	// Documents prepares the documents of a table. renamed are the columns whose fields differ from the profile's names.
	Documents(p *Part[S, V], t *Table[V]) (d Documents, renamed []Renamed)

	// Explain adds a hint to the error of a part.
	Explain(p *Part[S, V], e *source.Error, err error)
}
