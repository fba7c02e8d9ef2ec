package sqlread

import "github.com/elastic-ingest/elastic-ingest/engine/source"

// BriefError has a text of its own before a cause.
type BriefError struct {
	Text string
	Err  error
}

func (e *BriefError) Error() string { return e.Text }

// Unwrap gives the cause.
func (e *BriefError) Unwrap() error { return e.Err }

// ConfigError is an error of the configuration, with what to do about it.
func ConfigError(err error, hint string) error {
	return &source.Error{Kind: source.ErrConfig, Err: err, Hint: hint}
}
