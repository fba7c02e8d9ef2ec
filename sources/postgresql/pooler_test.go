package postgresql

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// TestErrorsOfAPooler has the texts of PgBouncer 1.18, which all have one code.
func TestErrorsOfAPooler(t *testing.T) {
	t.Parallel()
	d := &database{}
	for text, tt := range map[string]struct {
		kind  error
		again bool
	}{
		"SASL authentication failed":       {source.ErrAuth, false},
		"password authentication failed":   {source.ErrAuth, false},
		"no such user: nobody":             {source.ErrAuth, false},
		"no such database: nosuch":         {source.ErrConfig, false},
		`database "nosuch" does not exist`: {source.ErrConfig, false},
		"no more connections allowed":      {source.ErrTemporary, true},
		"query_wait_timeout":               {source.ErrTemporary, true},
		"server login has been failing, try again later (server_login_retry)": {source.ErrTemporary, true},
	} {
		err := &pgconn.PgError{Severity: "FATAL", Code: "08P01", Message: text}
		if got := d.connectError(err); !errors.Is(got, tt.kind) {
			t.Errorf("%q does not have the kind %v: %v", text, tt.kind, got)
		}
		if again := worthRetrying(err); again != tt.again {
			t.Errorf("%q is tried again: %v", text, again)
		}
	}
}
