package sourcecheck

import (
	"errors"
	"fmt"
)

// ErrLeftOut is in the error chain of a case that cannot be checked, with the reason.
var ErrLeftOut = errors.New("left out")

func leftOut(reason string) error { return fmt.Errorf("%w: %s", ErrLeftOut, reason) }

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
