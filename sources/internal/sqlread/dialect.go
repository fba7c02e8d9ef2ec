package sqlread

import (
	"context"
	"database/sql/driver"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Session is a connection of a dialect with its snapshot. A dialect embeds a [Conn] in its own.
type Session interface {
	Snapshot
	// Link is the connection.
	Link() *Conn
}

// Dialect is what a database brings that is read through a driver of database/sql: how to connect to it, what is in
// it, how its snapshots begin, how a statement is written and a value read, and what its errors mean. S is its
// session, V what it takes a value for.
type Dialect[S Session, V any] interface {
	// Dial opens a session that nothing was set in yet, and SetUp sets what values and statements depend on.
	Dial(ctx context.Context) (S, error)
	SetUp(ctx context.Context, s S) error
	// ConnectError says why no session came about.
	ConnectError(err error) error
	// Probe asks the server for a constant.
	Probe(ctx context.Context, s S) error

	// Catalogue asks what exists.
	Catalogue(ctx context.Context, s S) (*Catalogue, error)
	// Wants reports whether the configuration asks for a table.
	Wants(r *Relation) bool
	// Unmatched are parts that fail, for the names of the table list that no table has.
	Unmatched(c *Catalogue) []source.Part
	// Select finds the tables of a rule; missing are the names of those that do not exist.
	Select(c *Catalogue, r *Rule) (s *Selection, missing []string, err error)
	// Whole is what a rule's part is called: the tables together.
	Whole(s *Selection) Relation

	// Begin takes the snapshots of the run, of which first is the first session, and adds the sessions to the pool.
	// It returns the parts to read, which are the tables unless it cuts some. With an error no session is left.
	Begin(ctx context.Context, first S, tables []*Part[S, V]) ([]*Part[S, V], error)
	// Enter begins the transaction of a session that is opened to check rules, or late, where it needs one yet.
	Enter(ctx context.Context, s S) error
	// Check asks the server whether the query of a rule is one that only reads, and whether its rows can be distinguished
	// by a key, without running it.
	Check(ctx context.Context, s S, p *Part[S, V]) error

	// Lend acquires a session for a part; used reports whether it was in the pool. [Database.Lend] does for most.
	Lend(ctx context.Context, p *Part[S, V]) (s S, used bool, err error)
	// Late opens a session whose snapshot is taken after those of the run, as [Database.Late] does.
	Late(ctx context.Context) (S, error)
	// Restore makes a session ready for another part. It reports false for one that is of no further use.
	Restore(ctx context.Context, s S) bool
	// Usable reports whether a session can be used again of which err was the last word.
	Usable(ctx context.Context, s S, err error) bool
	// End ends a session, and what it may still be running.
	End(ctx context.Context, s S)

	// Open begins to read a part, by [Part.OpenNext].
	Open(ctx context.Context, p *Part[S, V]) (*Reader[S, V], error)
	// Start begins to read on the session of the reader; where before is given, after its position and as it did.
	// cause is why that one came to no end.
	Start(ctx context.Context, r, before *Reader[S, V], cause error) error
	// Abandon closes the statement of a reader as far as that is possible. It returns the last word of the session.
	Abandon(r *Reader[S, V], left bool, lost error) error
	// Resumable reports whether it is possible to resume after the position of a reader.
	Resumable(r *Reader[S, V], cause error) bool

	// Describe asks for columns and key of a table, and LookUp for those of a part that need not be readable. With
	// a table LookUp returns no error but one about its key.
	Describe(ctx context.Context, s S, p *Part[S, V]) (*Table[V], error)
	LookUp(ctx context.Context, s S, p *Part[S, V]) (*Table[V], error)
	// Description describes the documents of a table.
	Description(p *Part[S, V], t *Table[V]) source.Description
	// KeyOf looks for the columns that tell the rows of a table apart; nil when there are none.
	KeyOf(ctx context.Context, s S, r *Relation) ([]string, error)
	// DeclaredKey are the columns that the configuration names for a table.
	DeclaredKey(r *Relation) []string
	// Documents prepares the documents of a table that is read.
	Documents(p *Part[S, V], t *Table[V]) func(row []driver.Value) document.Document

	// Explain adds to the error of a part what to do about it.
	Explain(p *Part[S, V], e *source.Error, err error)
}
