// Package usage is the error of a wrong command line or configuration: it has its own exit code and a hint.
package usage

// Error is a mistake in the command line or in the configuration.
type Error struct {
	Problem string
	Hint    string // what to do; "" for none
	NoFile  bool   // no configuration file was found
}

// Error implements [error].
func (e *Error) Error() string { return e.Problem }
