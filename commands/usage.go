// Package usage is the error of whoever typed a command line or wrote a configuration: it ends the program with a code
// of its own and says what to do.
package commands

// usageError is a mistake in the command line or in what it asks for.
type usageError struct {
	problem string
	hint    string // what to do; "" for none
	noFile  bool   // there is no configuration file at all
}

// Error implements [error].
func (e *usageError) Error() string { return e.problem }
