// Package usage is the error of whoever typed a command line or wrote a configuration: it ends the program with a code
// of its own and says what to do.
package usage

// Error is a mistake in the command line or in what it asks for.
type Error struct {
	Problem string
	Hint    string // what to do; "" for none
	NoFile  bool   // there is no configuration file at all
}

// Error implements [error].
func (e *Error) Error() string { return e.Problem }
