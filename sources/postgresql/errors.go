package postgresql

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The SQLSTATEs that matter here, see
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
const (
	codeNoPrivilege = "42501"
	codeNoTable     = "42P01"
	codeNoColumn    = "42703"
	codeNoSchema    = "3F000"
	codeNoDatabase  = "3D000"
	codeReadOnly    = "25006" // a statement that writes, in a read-only transaction
	codeBadPassword = "28P01"
	codeNoEntry     = "28000"
	codeCanceled    = "57014" // by another session that ended the statement
	codePooler      = "08P01" // PgBouncer's code for everything that it refuses
)

// state is the SQLSTATE of the server's error, "" if err has another origin.
func state(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// loginCode is the SQLSTATE of a refused login. PgBouncer has one for all errors, so its messages
// are checked: a wrong password stays wrong, and must not be tried again.
func loginCode(err error) string {
	e, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok:
		return ""
	case e.Code != codePooler:
		return e.Code
	case strings.Contains(e.Message, "authentication failed"), strings.Contains(e.Message, "no such user"):
		return codeBadPassword
	case strings.Contains(e.Message, "no such database"), strings.Contains(e.Message, "does not exist"):
		return codeNoDatabase
	}
	return e.Code
}

// temporary reports whether a SQLSTATE is temporary.
func temporary(code string) bool {
	if len(code) != 5 {
		return false
	}
	switch code[:2] {
	case "08", "53", "58": // connection, resources, system
		return true
	}
	switch code {
	case "57P01", "57P02", "57P03", "57P04", "57P05", // shutdown, crash, starting up, dropped, idle
		codeCanceled,
		"25P03", "25P04", // a time limit of the server for transactions
		"40001", "40P01", "55006", "55P03", "72000":
		return true
	}
	return false
}

// worthRetrying reports whether connecting again may succeed, which the code of a pooler does not say.
func worthRetrying(err error) bool {
	if code := loginCode(err); code != "" {
		return temporary(code)
	}
	return verdicts.WorthRetrying(err)
}

// hungUp reports whether the connection ended without an error from the server.
func hungUp(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// refusedTLS recognizes the driver's error about a server without TLS by its text; it has no type.
func refusedTLS(err error) bool {
	return strings.Contains(err.Error(), "server refused TLS connection")
}

// connectError explains why no connection could be opened.
func (d *database) connectError(err error) error {
	e := &source.Error{Err: fmt.Errorf("connect to PostgreSQL at %s port %d: %w", d.set.Host, d.set.Port, verdicts.Shorten(err))}
	switch code := loginCode(err); {
	case code == codeBadPassword:
		e.Kind, e.Hint = source.ErrAuth, "check username and password; PostgreSQL returns the same error for both"
	case strings.HasPrefix(code, "28"):
		e.Kind, e.Hint = source.ErrAuth, "the server has no rule that allows this user from this machine: see its pg_hba.conf"
	case code == codeNoDatabase:
		e.Kind, e.Hint = source.ErrConfig, "check database: the server has none of that name, or not for this user"
	case code == codeNoPrivilege:
		e.Kind = source.ErrAuth
		e.Hint = fmt.Sprintf("GRANT CONNECT ON DATABASE %s TO %s;", quote.Ident(d.set.database), quote.Ident(d.set.User))
	default:
		e.Hint, e.Kind = verdicts.Connecting(err)
	}
	return e
}

// verdicts classify errors.
var verdicts = sqlread.Verdicts{
	Coded: func(err error) bool { return state(err) != "" }, Text: serverText, HungUp: hungUp, NoTLS: refusedTLS,
	Refused:   func(err error) bool { return state(err) == codeNoPrivilege },
	Temporary: func(err error) bool { return temporary(state(err)) },
}

// serverText is the server's error, without its detail, which may quote a row.
func serverText(err error) string {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return ""
	}
	return strings.Join(strings.Fields(e.Message), " ") + " (SQLSTATE " + e.Code + ")"
}

// tableError explains why a table could not be read.
func (p *part) tableError(doing string, err error) error {
	e := &source.Error{Kind: verdicts.Kind(err), Part: p.Name(), Err: fmt.Errorf("%s: %w", doing, verdicts.Shorten(err))}
	switch state(err) {
	case codeNoPrivilege:
		e.Hint = p.grantHint()
	case codeReadOnly:
		e.Kind, e.Hint = source.ErrConfig, "write a query that only reads"
	case codeNoTable, codeNoSchema:
		e.Hint = "it was dropped or renamed since the run began; the next run will determine which"
	case codeNoColumn:
		e.Hint = "its columns changed while it was read; run again"
	}
	return e
}

// queryError means that the query of a rule cannot work.
func (p *part) queryError(err error, hint string) error {
	return verdicts.QueryError(p.Name(), err, hint)
}
