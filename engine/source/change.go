package source

import (
	"context"
	"iter"
)

// Cursor is a place in the history of a source, such as one in a change stream: a JSON object whose
// members are texts. Only the source that made it knows what it means. "" is none.
type Cursor string

// Changer is a source that can say which documents changed after a place in its history. A source that
// has the ability only when it is configured so is a Changer only then.
type Changer interface {
	Source
	// Position is where the history stands now. What changed before that moment is in all that is read
	// afterwards. It may not move backward when it is asked again.
	Position(context.Context) (Cursor, error)
	// Changes finds what changed after the cursor, up to the moment of the call or a little later. It is
	// called once, before Parts. Where that cannot be told the error is a [*LostError], and everything has to be read.
	Changes(context.Context, Cursor) (Changes, error)
}

// Changes is what changed after a [Cursor].
type Changes struct {
	// Cursor is where the next run continues, once this one has written everything.
	Cursor Cursor
	// Scopes are those whose changes are followed, whether or not there are any.
	Scopes []string
	// Parts together name every document that was created, changed or deleted; none where nothing was.
	Parts []ChangedPart
}

// ChangedPart is some changed documents of one scope. Its Documents are those that exist now, as they are
// now: what happened to one in between, and in which order, does not matter. One that IDs names and
// Documents does not yield, although the part ended, is deleted.
type ChangedPart interface {
	Part
	// IDs are those of the documents that changed. They may be asked for several times. Documents yields
	// no other.
	IDs() iter.Seq[string]
}

// LostError says why a source cannot tell what changed after a cursor. It is no failure.
type LostError struct{ Why string }

func (e *LostError) Error() string { return e.Why }
