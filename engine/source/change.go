package source

import (
	"context"
	"iter"
)

// Cursor is a position in the history of a source, such as one in a change stream: a JSON object whose members are
// texts. Only the source that created it can interpret it. "" is none.
type Cursor string

// Changer is a source that can report which documents changed after a position in its history. A source that can
// do so only with some configurations is a Changer only with these.
type Changer interface {
	Source
	// Position is the current position in the history. Everything read afterwards includes the changes before that
	// moment. It never moves backward when it is requested again.
	Position(context.Context) (Cursor, error)
	// Changes finds what changed after the cursor, up to the moment of the call or a little later. It is called
	// once, before Parts. If the history no longer reaches back that far, or the cursor belongs to another source,
	// the error is a [*LostError], and everything has to be read.
	Changes(context.Context, Cursor) (Changes, error)
}

// Changes are the changes after a [Cursor].
type Changes struct {
	// Cursor is where the next run continues, if this one writes everything.
	Cursor Cursor
	// Scopes are the scopes whose changes are followed, even if there are none. They include the scope of each
	// part.
	Scopes []string
	// Parts together name every document that was created, changed or deleted; without changes there are none.
	Parts []ChangedPart
}

// ChangedPart is some changed documents of one scope. Its Documents are those that exist now, in their current
// state: intermediate states, and the order of changes, do not matter. A document is deleted if IDs names it and
// Documents does not yield it, although the part ended.
type ChangedPart interface {
	Part
	// IDs are the ids of the changed documents. They may be requested several times. Documents yields no others.
	IDs() iter.Seq[string]
}

// LostError says why a source does not know what changed after a cursor. It is not a failure.
type LostError struct{ Why string }

func (e *LostError) Error() string { return e.Why }
