package sourcecheck

import (
	"errors"
	"fmt"
)

// ErrLeftOut is in the error chain of a case that cannot be checked, with the reason.
var ErrLeftOut = errors.New("left out")

func leftOut(reason string) error { return fmt.Errorf("%w: %s", ErrLeftOut, reason) }

// notGiven is the result of a case without the input that a field of [Source] holds: it is left out for the reason of the
// field No…, and otherwise fails.
func notGiven(field, reason string) error {
	if reason == "" {
		return fmt.Errorf("neither %s nor the reason No%s is given", field, field)
	}
	return leftOut(reason)
}

// ofKind checks that an error, which something causes, has a kind.
func ofKind(what string, err, kind error) error {
	if kind == nil || !errors.Is(err, kind) {
		return fmt.Errorf("%s: got %w, want an error of the kind %s", what, err, kindName(kind))
	}
	return nil
}

// Failure reports which promise a source does not keep, and where.
type Failure struct {
	Case, Promise string // of the [Case]
	Part, ID      string // of the part and the document; "" if there is none
	Err           error  // the observation; its text names part and document
}

func (f *Failure) Error() string {
	return fmt.Sprintf("%s: %v (promised: %s)", f.Case, f.Err, f.Promise)
}

// Unwrap returns the observation.
func (f *Failure) Unwrap() error { return f.Err }

// placed is an error with its place.
type placed struct {
	part, id string
	err      error
}

func (p *placed) Error() string {
	switch {
	case p.id == "":
		return fmt.Sprintf("part %q: %v", p.part, p.err)
	case p.part == "":
		return fmt.Sprintf("document %q: %v", p.id, p.err)
	}
	return fmt.Sprintf("part %q: document %q: %v", p.part, p.id, p.err)
}

func (p *placed) Unwrap() error { return p.err }

// inPart is an error that is about a part.
func inPart(part, format string, args ...any) error {
	return &placed{part: part, err: fmt.Errorf(format, args...)}
}

// of is an error that is about a document.
func of(part, id, format string, args ...any) error {
	return &placed{part: part, id: id, err: fmt.Errorf(format, args...)}
}
