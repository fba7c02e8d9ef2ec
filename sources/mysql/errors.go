package mysql

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The errors of the server that matter here, see
// https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html and
// https://mariadb.com/docs/server/reference/error-codes/mariadb-error-code-reference.
const (
	codeNoEntry       = 1044 // to the database
	codeBadPassword   = 1045
	codeNoDatabase    = 1049
	codeNoColumn      = 1054
	codeTwoColumns    = 1060 // with the same name
	codeHostBlocked   = 1129
	codeHostRefused   = 1130
	codeNoTableRight  = 1142
	codeNoColumnRight = 1143
	codeNoTable       = 1146
	codeNoVariable    = 1193
	codeUserLimit     = 1203
	codeTooMany       = 1040
	codeResources     = 1226 // of the user, such as max_user_connections
	codeNoPrivilege   = 1227
	codeInterrupted   = 1317 // by another session that ended the statement
	codeBrokenView    = 1356
	codeNoRoutine     = 1370 // no EXECUTE privilege
	codeTableChanged  = 1412 // since the snapshot was taken
	codeNoDefiner     = 1449
	codeLoginPlugin   = 1698 // MariaDB: the user does not log in with a password
	codeReadOnly      = 1792 // a statement that writes, in a read-only transaction
	codeNeedsTLS      = 3159
)

// code is the number of the server's error, 0 if err has another origin.
func code(err error) uint16 {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number
	}
	return 0
}

// temporary reports whether an error of the server is temporary.
func temporary(code uint16) bool {
	switch code {
	case codeTooMany, codeUserLimit, codeResources,
		1053, 1080, 1152, 1158, 1159, 1160, 1161, 1184, // the server shuts down, or the connection broke
		1205, 1213, // another session's lock
		1927, 3169, 4031, // the connection was killed, or silent for too long
		1969, 3024, codeInterrupted, // the statement took too long, or another session ended it
		codeTableChanged:
		return true
	}
	return false
}

// refused reports whether an error of the server means that a privilege is missing.
func refused(code uint16) bool {
	switch code {
	case codeNoEntry, codeBadPassword, codeNoTableRight, codeNoColumnRight, codeNoPrivilege, codeNoRoutine:
		return true
	}
	return false
}

// tooMany reports whether the server allows no further connection, in total or for the user.
func tooMany(err error) bool {
	c := code(err)
	return c == codeTooMany || c == codeUserLimit || c == codeResources
}

// verdicts classify errors.
var verdicts = sqlread.Verdicts{
	Coded: answered, Text: serverText, HungUp: hungUp, TooMany: tooMany, Changed: changed,
	Refused:   func(err error) bool { return refused(code(err)) },
	Temporary: func(err error) bool { return temporary(code(err)) },
	NoTLS:     func(err error) bool { return errors.Is(err, mysql.ErrNoTLS) },
}

// serverText is the server's error in one line.
func serverText(err error) string {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s (error %d)", strings.Join(strings.Fields(e.Message), " "), e.Number)
}

// hungUp reports whether the connection ended without an error from the server.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn)
}

// ConnectError explains why no session could be opened.
func (d *database) ConnectError(err error) error {
	where := fmt.Sprintf("connect to MySQL at %s port %d", d.set.Host, d.set.Port)
	if d.set.OnSocket() {
		where = "connect to MySQL at " + d.set.Host
	}
	e := &source.Error{Err: fmt.Errorf("%s: %w", where, verdicts.Shorten(err))}
	switch c := code(err); {
	case c == codeBadPassword:
		e.Kind, e.Hint = source.ErrAuth, "check user and password; MySQL returns the same error for both, and if the user must use TLS and ssl_enabled is off"
	case c == codeLoginPlugin, unknownLogin(err):
		e.Kind, e.Hint = source.ErrAuth, "let the user log in with a password: ALTER USER … IDENTIFIED BY '…';"
	case errors.Is(err, mysql.ErrCleartextPassword):
		e.Kind, e.Hint = source.ErrAuth, "the user's password would be sent in clear text, so ssl_enabled must be on"
	case c == codeHostRefused, c == codeHostBlocked:
		e.Kind, e.Hint = source.ErrAuth, "the server refuses connections from this machine: see the hosts of its users, and FLUSH HOSTS"
	case c == codeNeedsTLS:
		e.Kind, e.Hint = source.ErrConfig, "set ssl_enabled: true"
	case c == codeNoDatabase:
		e.Kind, e.Hint = source.ErrConfig, "check database: the server has none of that name"
	case c == codeNoEntry:
		e.Kind, e.Hint = source.ErrAuth, fmt.Sprintf("check database, or GRANT SELECT ON %s.* TO %s;", quote.Ident(d.set.database), quoteText(d.set.User))
	default:
		e.Hint, e.Kind = verdicts.Connecting(err)
	}
	return e
}

// unknownLogin reports whether the server requires an authentication method that the driver does not have.
func unknownLogin(err error) bool {
	return errors.Is(err, mysql.ErrUnknownPlugin) || errors.Is(err, mysql.ErrOldPassword) || errors.Is(err, mysql.ErrNativePassword)
}

// Explain implements [sqlread.Dialect].
func (d *database) Explain(p *part, e *source.Error, err error) {
	switch code(err) {
	case codeNoTableRight, codeNoColumnRight:
		e.Hint = d.grantHint(p)
	case codeNoRoutine:
		e.Hint = d.routineHint(p, err)
	case codeReadOnly:
		e.Kind, e.Hint = source.ErrConfig, "write a query that only reads"
	case codeNoTable:
		e.Hint = "it was dropped or renamed since the run began; the next run will determine which"
	case codeNoColumn:
		e.Hint = "its columns changed while it was read; run again"
	case codeBrokenView, codeNoDefiner:
		e.Kind, e.Hint = source.ErrConfig, "repair the view, "+p.LeaveOut(&d.set.tables)
	}
}

// routine is the name at the end of error 1370, in any language.
var routine = regexp.MustCompile(`'([^']+)\.([^'.]+)'[^']*$`)

// routineHint is the hint about a function that a view or a query calls.
func (d *database) routineHint(p *part, err error) string {
	e, _ := errors.AsType[*mysql.MySQLError](err)
	m := routine.FindStringSubmatch(e.Message)
	if m == nil {
		return "grant EXECUTE on the function that the message names, " + p.LeaveOut(&d.set.tables)
	}
	return fmt.Sprintf("GRANT EXECUTE ON FUNCTION %s TO %s; %s", quote.Table(m[1], m[2]), d.account(), p.LeaveOut(&d.set.tables))
}

func (d *database) grantHint(p *part) string {
	var b strings.Builder
	for _, r := range p.Tables() {
		fmt.Fprintf(&b, "GRANT SELECT ON %s TO %s; ", quote.Table(d.set.database, r.Name), d.account())
	}
	return b.String() + p.LeaveOut(&d.set.tables)
}
