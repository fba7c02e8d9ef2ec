package source

import (
	"context"
	"iter"
)

// Cursor is a place in the history of a source, such as one in a change stream: a JSON object whose
// members are texts. Only the source that made it knows what it means. "" is none.
type Cursor string

// Changer is a source that can report which documents changed after a place in its history. A source that
// has the ability only with some configurations is a Changer only then.
type Changer interface {
	Source
	// Position is where the history stands now. Whatever is read afterwards includes what changed before that
	// moment. It never moves backward when it is asked for again.
	Position(context.Context) (Cursor, error)
	// Changes finds what changed after the cursor, up to the moment of the call or a little later. It is
	// called once, before Parts. Where the history no longer reaches back that far, or the cursor belongs to another
	// source, the error is a [*LostError], and everything has to be read.
	Changes(context.Context, Cursor) (Changes, error)
}

// Changes is what changed after a [Cursor].
type Changes struct {
	// Cursor is where the next run continues, once this one has written everything.
	Cursor Cursor
	// Scopes are those whose changes are followed, whether or not there are any. The scope of each part is one of them.
	Scopes []string
	// Parts together name every document that was created, changed or deleted; there is none where nothing was.
	Parts []ChangedPart
}

// ChangedPart is some changed documents of one scope. Its Documents are those that exist now, as they are
// now: what happened to one in between, and in which order, does not matter. One that IDs names and
// Documents does not yield, although the part ended, is deleted.
type ChangedPart interface {
	Part
	// IDs are those of the documents that changed. They may be asked for several times. Documents yields
	// no others.
	IDs() iter.Seq[string]
}

// LostError says why a source does not know what changed after a cursor. It is no failure.
type LostError struct{ Why string }

func (e *LostError) Error() string { return e.Why }
