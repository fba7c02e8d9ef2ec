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

// Hint returns the first hint in err's chain, or "".
func Hint(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Hint
	}
	return ""
}
