package source

import (
	"errors"
	"fmt"
)

// The kinds of errors of a source, told apart by [errors.Is]. An error of no kind is a failure that
// is not otherwise classified.
var (
	ErrConfig      = errors.New("configuration")                // what is configured cannot work, or does not exist
	ErrAuth        = errors.New("authentication or permission") // credentials are wrong, or a right is missing
	ErrUnreachable = errors.New("unreachable")                  // the data source does not answer
	ErrTemporary   = errors.New("temporary")                    // it may work if tried later
)

// Error is an error with the place it comes from. Its kind and cause are both found by [errors.Is]
// and [errors.As].
type Error struct {
	Kind error  // one of the kinds above, or nil
	Part string // the table, bucket or folder; "" when the whole source is meant
	ID   string // of the document; "" when it is not about one
	Err  error  // what happened
	Hint string // what to do, one sentence; may be empty
}

func (e *Error) Error() string {
	switch {
	case e.Part != "" && e.ID != "":
		return fmt.Sprintf("%s: document %q: %v", e.Part, e.ID, e.Err)
	case e.Part != "":
		return fmt.Sprintf("%s: %v", e.Part, e.Err)
	case e.ID != "":
		return fmt.Sprintf("document %q: %v", e.ID, e.Err)
	}
	return e.Err.Error()
}

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Kind == nil {
		return []error{e.Err}
	}
	return []error{e.Kind, e.Err}
}

// UnmatchedError says that the configuration names something that the source does not have, such as a table.
// Where the index has documents of it, it is gone; otherwise it never existed.
type UnmatchedError struct {
	Err error
	Of  func(scope string) bool // reports whether a document of the scope would belong to it
}

func (e *UnmatchedError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *UnmatchedError) Unwrap() error { return e.Err }

// Hint returns the first hint in err's tree, or "". Whoever wraps an error in an [*Error] of its own
// to say where it happened does not hide the hint of the one below.
func Hint(err error) string {
	if e, ok := err.(*Error); ok && e.Hint != "" { //nolint:errorlint // the tree is walked here
		return e.Hint
	}
	switch e := err.(type) { //nolint:errorlint // the tree is walked here
	case interface{ Unwrap() error }:
		return Hint(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, below := range e.Unwrap() {
			if hint := Hint(below); hint != "" {
				return hint
			}
		}
	}
	return ""
}
