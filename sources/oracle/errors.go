package oracle

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sijms/go-ora/v2/network"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/oracle/guard"
)

// The errors of the server that matter here, see https://docs.oracle.com/en/error-help/db/.
const (
	codeNoColumn     = 904
	codeTwoColumns   = 918 // with the same name
	codeNoTable      = 942 // or no privilege on it
	codeNoValue      = 1008
	codeInterrupted  = 1013 // by another session that ended the statement
	codeBadPassword  = 1017
	codeNoRight      = 1031
	codeNoEntry      = 1045 // to the database
	codeReadOnly     = 1456 // a statement that writes, in a read-only transaction
	codeTableChanged = 1466 // since the moment of the read
	codeSnapshotOld  = 1555
	codeBrokenView   = 4063
	codeNoSnapshot   = 8176
	codeNoSCN        = 8181
	codeNoSID        = 12505
	codeNoService    = 12514
	codeFiltered     = 12506 // by the listener, which refuses this machine
	codeLocked       = 28000
	codeExpired      = 28001
	codeNotWithin    = 32034 // a WITH clause that is not allowed in parentheses
	codeNoSelect     = 41900
)

// code is the number of the server's error, 0 if err has another origin.
func code(err error) int {
	if e, ok := errors.AsType[*network.OracleError](err); ok {
		return e.ErrCode
	}
	return 0
}

// temporary reports whether an error of the server is temporary.
func temporary(code int) bool {
	switch code {
	case 18, 20, 2391, // no session left, on the server or for the user
		257, 1033, 1034, 1089, 1090, 1092, // the server stops, starts, or waits for its disk
		12153, 12170, 12516, 12518, 12519, 12520, 12528, 12541, 12547, 12570, 12571, 25408, codeNoService, // or its listener
		4068, 8177, // a change by another session
		codeInterrupted, codeTableChanged, codeSnapshotOld, codeNoSnapshot, codeNoSCN:
		return true
	}
	return ended(code)
}

// ended reports whether an error of the server ends the session.
func ended(code int) bool {
	return slices.Contains([]int{28, 1012, 2396, 2399, 3113, 3114, 3135, 12537}, code)
}

// refused reports whether an error of the server means that a privilege is missing.
func refused(code int) bool {
	switch code {
	case codeBadPassword, codeNoRight, codeNoEntry, codeNoSelect, codeLocked, codeExpired:
		return true
	}
	return false
}

// tooMany reports whether the server allows no further connection, in total or for the user.
func tooMany(err error) bool {
	return slices.Contains([]int{18, 20, 2391, 12516, 12518, 12519, 12520}, code(err))
}

// outdated reports whether a table cannot be read as of a moment, but perhaps as of a later one.
func outdated(err error) bool {
	return slices.Contains([]int{codeTableChanged, codeSnapshotOld, codeNoSnapshot, codeNoSCN}, code(err))
}

// noFlashback reports whether a table cannot be read as of a change number at all: the user may not, or the
// table does not support it.
func noFlashback(err error) bool {
	return slices.Contains([]int{
		codeNoRight, codeNoSelect,
		604,           // the server failed internally, for example on its own table
		904, 907, 933, // it does not know the syntax
		8185, 8187, // the user is SYS; a view that does not support it
		2070, 2084, // another database
		30051, 30052, 55610, // not supported by the storage
	}, code(err))
}

// verdicts classify errors.
var verdicts = sqlread.Verdicts{
	Coded: answered, Text: serverText, HungUp: hungUp, TooMany: tooMany, Changed: changed,
	Refused:   func(err error) bool { return refused(code(err)) },
	Temporary: func(err error) bool { return temporary(code(err)) },
}

// worthRetrying reports whether connecting again may succeed, also after a panic of the driver.
func worthRetrying(err error) bool {
	return errors.Is(err, guard.ErrPanic) || verdicts.WorthRetrying(err)
}

// serverText is the server's error in one line, without additions of the driver and the server.
func serverText(err error) string {
	e, ok := errors.AsType[*network.OracleError](err)
	if !ok {
		return ""
	}
	text := e.Error() // which looks up the text of some numbers
	if e.ErrMsg != "" {
		text = e.ErrMsg
	}
	var words []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "Help: ") { // an address
			words = append(words, strings.Fields(line)...)
		}
	}
	return strings.Join(words, " ")
}

// hungUp reports whether the connection ended, with or without an error of the server.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) || ended(code(err))
}

// ConnectError explains why no session could be opened.
func (d *database) ConnectError(err error) error {
	e := &source.Error{
		Kind: source.ErrUnreachable, Err: fmt.Errorf("connect to Oracle at %s port %d: %w", d.set.Host, d.set.Port, verdicts.Shorten(err)),
	}
	key := bySID
	if !d.set.sid {
		key = byService
	}
	switch c := code(err); {
	case c == codeBadPassword:
		e.Kind, e.Hint = source.ErrAuth, "check username and password; too many wrong ones lock the user, so this is not retried"
	case c == codeLocked:
		e.Kind, e.Hint = source.ErrAuth, fmt.Sprintf("ALTER USER %s ACCOUNT UNLOCK;", quote.Ident(d.set.owner))
	case c == codeExpired:
		e.Kind, e.Hint = source.ErrAuth, fmt.Sprintf("ALTER USER %s IDENTIFIED BY …;", quote.Ident(d.set.owner))
	case c == codeNoEntry:
		e.Kind, e.Hint = source.ErrAuth, fmt.Sprintf("GRANT CREATE SESSION TO %s;", quote.Ident(d.set.owner))
	case c == codeFiltered:
		e.Kind, e.Hint = source.ErrAuth, "the listener refuses connections from this machine"
	case c == codeNoSID, c == codeNoService:
		e.Kind, e.Hint = source.ErrConfig, fmt.Sprintf("check connection_source and %s: lsnrctl status lists the known services; a pluggable database has a service name, and one that has just started is not listed yet", key)
	case ended(c):
		e.Hint = "check that the database is open"
	case temporary(c):
		e.Kind = source.ErrTemporary
	case c != 0:
		e.Kind = nil
	case link.HandshakeFailed(err):
		e.Kind, e.Hint = source.ErrConfig, "oracle_protocol: TCPS needs a port where the listener speaks TLS; the wallet must contain the authority that signed the server's certificate, and host must be a name in that certificate"
	default:
		e.Hint = "check host, port and oracle_protocol, and that the listener is running there"
	}
	return e
}

// Explain implements [sqlread.Dialect].
func (d *database) Explain(p *part, e *source.Error, err error) {
	switch code(err) {
	case codeNoRight, codeNoSelect:
		e.Hint = d.grantHint(p)
	case codeReadOnly:
		e.Kind, e.Hint = source.ErrConfig, queryHint
	case codeNoTable:
		e.Hint = "it was dropped or renamed since the run began, which the next run will determine; or " + d.grantHint(p)
	case codeNoColumn:
		if e.Hint = "its columns changed while it was read; run again"; p.Rule != nil {
			e.Hint = "correct the query; quoted names are case-sensitive, and a function without EXECUTE looks as if it did not exist"
		}
	case codeBrokenView:
		e.Kind, e.Hint = source.ErrConfig, "repair the view, "+p.LeaveOut(&d.set.tables)
	case codeSnapshotOld, codeNoSnapshot:
		e.Hint = "the server drops old row versions too soon: see UNDO_RETENTION and the size of its undo tablespace"
	}
}

func (d *database) grantHint(p *part) string {
	var b strings.Builder
	for _, r := range p.Tables() {
		b.WriteString(d.grant(r.Schema, r.Name) + " ")
	}
	return b.String() + p.LeaveOut(&d.set.tables)
}
