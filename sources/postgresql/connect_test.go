package postgresql

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

func TestWorthRetrying(t *testing.T) {
	t.Parallel()
	sqltest.Retries(t, worthRetrying, map[string]error{
		"hung up":           io.ErrUnexpectedEOF,
		"starting up":       &pgconn.PgError{Code: "57P03"},
		"too many sessions": &pgconn.PgError{Code: "53300"},
	}, map[string]error{
		"wrong password":   &pgconn.PgError{Code: "28P01"},
		"no such database": &pgconn.PgError{Code: "3D000"},
		"no TLS":           errors.New("tls error: server refused TLS connection"),
	})
}

func TestTableErrorKinds(t *testing.T) {
	t.Parallel()
	p := &part{db: &database{}, Subject: sqlread.Subject{Rel: relation{Schema: "s", Name: "t", Scope: "s.t"}}}
	for code, want := range map[string]error{
		"42501": source.ErrAuth, "42P01": nil, "42703": nil, "22000": nil, "XX001": nil,
		"57P01": source.ErrTemporary, "40001": source.ErrTemporary, "08006": source.ErrTemporary, "57014": source.ErrTemporary,
	} {
		err := p.tableError("read rows", &pgconn.PgError{Code: code, Message: "m", Detail: "secret row"})
		sqltest.IsOnly(t, fmt.Sprint(code), err, want)
		if got, want := err.Error(), "s.t: read rows: m (SQLSTATE "+code+")"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if err := p.tableError("read rows", io.ErrUnexpectedEOF); !errors.Is(err, source.ErrTemporary) {
		t.Errorf("a lost connection: %v", err)
	}
}

func TestServerVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"15.18 (Debian 15.18-0+deb12u1)": 15, "17": 17, "18beta1": 18, "": 0, "x": 0} {
		if got := serverVersion(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

// TestEnvironmentIsIgnored checks that the variables libpq reads do not change where or how a configured source
// connects.
func TestEnvironmentIsIgnored(t *testing.T) {
	for k, v := range map[string]string{
		"PGHOST": "elsewhere", "PGPORT": "1,2", "PGUSER": "other", "PGPASSWORD": "other", "PGDATABASE": "other", "PGSSLMODE": "require",
		"PGOPTIONS": "-c x=y", "PGTZ": "Asia/Tokyo", "PGTARGETSESSIONATTRS": "standby", "PGCONNECT_TIMEOUT": "x", "PGSSLROOTCERT": "/nosuch",
		"PGAPPNAME": "other", "PGCHANNELBINDING": "require", "PGREQUIREAUTH": "md5",
	} {
		t.Setenv(k, v)
	}
	c, err := driverConfig(settings{Login: form.Login{Host: "h", Port: 5, User: "u", Password: "p"}, database: "d"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if c.Host != "h" || c.Port != 5 || c.User != "u" || c.Password != "p" || c.Database != "d" || c.ValidateConnect != nil ||
		len(c.RuntimeParams) != 2 || len(c.Fallbacks) != 1 || c.ConnectTimeout != connectTimeout || c.ChannelBinding != "prefer" || c.RequireAuth != "" {
		t.Errorf("got %s:%d user %s database %s, %v, %d fallbacks", c.Host, c.Port, c.User, c.Database, c.RuntimeParams, len(c.Fallbacks))
	}
	t.Setenv("PGSERVICE", "nosuch")
	_, err = driverConfig(settings{Login: form.Login{Host: "h", Port: 5, User: "u", Password: "p"}, database: "d"}, 0)
	sqltest.Refuse(t, err, source.ErrConfig, "environment", "unset")
}
