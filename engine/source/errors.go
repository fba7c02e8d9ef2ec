package source

import (
	"errors"
	"fmt"
)

// Kinds of errors of a source, found by [errors.Is]. An error of no kind is an unclassified failure.
var (
	ErrConfig      = errors.New("configuration")                // the configuration cannot work, or names something that does not exist
	ErrAuth        = errors.New("authentication or permission") // credentials are wrong, or a privilege is missing
	ErrUnreachable = errors.New("unreachable")                  // the data source does not respond
	ErrTemporary   = errors.New("temporary")                    // it may work later
)

// Error is an error with its place in the source. [errors.Is] and [errors.As] find both its kind and its cause.
type Error struct {
	Kind error  // one of the kinds above, or nil
	Part string // the table, bucket or folder; "" for the complete source
	ID   string // of the document; "" for errors of no particular document
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

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Kind == nil {
		return []error{e.Err}
	}
	return []error{e.Kind, e.Err}
}

// UnmatchedError reports that the configuration names something that does not exist in the source, such as a
// table. If the index has documents of it, it was deleted; otherwise it never existed.
type UnmatchedError struct {
	Err error
	Of  func(scope string) bool // reports whether a document of the scope belongs to it
}

func (e *UnmatchedError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UnmatchedError) Unwrap() error { return e.Err }

// Hint returns the first hint in err's tree, or "". An [*Error] that wraps another one to add its place does not
// hide the inner hint.
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
