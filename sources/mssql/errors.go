package mssql

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The errors of the server that matter here, see
// https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors and
// https://learn.microsoft.com/azure/azure-sql/database/troubleshoot-common-errors-issues.
const (
	codeNoColumn      = 207
	codeNoTable       = 208
	codeNoRight       = 229
	codeNoColumnRight = 230
	codeNoEntry       = 916 // to another database
	codeNoSnapshots   = 3952
	codeDistributed   = 3963 // in a snapshot
	codeDistributed2  = 3996
	codeAltered       = 3961
	codeNotOpened     = 4060 // the database
	codeBrokenView    = 4413
	codeWrongColumns  = 4502 // a view names more columns than it has, or fewer
	codeNotPrepared   = 8180
	codeNotDescribed  = 11501
	codeOnlyErrors    = 11529 // the description of a result found only errors
	codeTooMany       = 17809
	codeNoTrust       = 18452 // the login is a Windows login
	codeLogin         = 18456
	codeDisabled      = 18470
	codeLocked        = 18486
	codeExpired       = 18487 // the password
	codeMustChange    = 18488 // the password
	codeReadOnlyNode  = 978   // only read-intent connections are allowed
	codeFileTable     = 33447
	codeNoColumnstore = 35371 // in a snapshot
	codeNoServer      = 40532 // of Azure
	codeNotThere      = 40613 // of Azure: the database moves, or wakes up
	codeFirewall      = 40615 // of Azure
	codeNoNetwork     = 40914 // of Azure: no rule admits the virtual network
	codeInMemory      = 41332
	codeNotPublic     = 47073 // of Azure
)

// temporaries are temporary errors.
var temporaries = []int32{
	codeTooMany, 10928, 10929, 10936, // connections, or other limits of Azure
	701, 802, 1204, 8645, 8651, // no memory or no locks left for it
	1205, 1222, // another session's lock
	3958, 3960, 3966, 3967, // the snapshot was lost
	codeAltered,
	3947, 3948, 3949, 3950, 3953, 3957, // the snapshot was lost because the database moved, or was busy
	41301, 41302, 41305, 41325, // a conflict with another transaction, on memory-optimized tables
	8628,                         // no time to optimize the statement
	64, 233, 10053, 10054, 10060, // the connection broke
	596, 6005, 6006, 17142, // the session or the server was ended
	17187, 17197, 18401, // the server starts, is too busy for logins, or is being upgraded
	615, 904, 921, 922, 926, 927, 941, 952, 956, 976, 982, 983, 988, 4221, // the database is not available yet, or moves to another server
	40143, 40197, 40501, 40540, codeNotThere, 49918, 49919, 49920, // Azure is busy, moves the database, or wakes it up
}

// summaries are errors that follow the error that they are about.
var summaries = []int32{codeLogin, codeNotPrepared, codeNotDescribed, codeOnlyErrors}

// answer is the error that the server returned.
func answer(err error) (e mssql.Error, ok bool) {
	if e, ok = errors.AsType[mssql.Error](err); !ok || e.Number == 0 {
		return e, false
	}
	if slices.Contains(summaries, e.Number) {
		for _, other := range e.All {
			if other.Number > 0 && !slices.Contains(summaries, other.Number) && other.Class > 10 {
				return other, true
			}
		}
	}
	return e, true
}

// code is the number of the server's error, 0 if err has another origin.
func code(err error) int32 {
	e, _ := answer(err)
	return e.Number
}

// fatal reports whether the server closes the connection after the error.
func fatal(err error) bool {
	if _, ok := errors.AsType[mssql.ServerError](err); ok {
		return true
	}
	e, ok := errors.AsType[mssql.Error](err)
	return ok && e.Class >= 20
}

// temporary reports whether an error of the server is temporary.
func temporary(code int32) bool { return slices.Contains(temporaries, code) }

// refused reports whether an error of the server means that a privilege is missing.
func refused(code int32) bool {
	return slices.Contains([]int32{codeNoRight, codeNoColumnRight, codeNoEntry}, code)
}

// tooMany reports whether the server allows no further connection.
func tooMany(err error) bool {
	return slices.Contains([]int32{codeTooMany, 10928, 10929, 10936}, code(err))
}

// verdicts classify errors.
var verdicts = sqlread.Verdicts{
	Coded: func(err error) bool { return code(err) != 0 }, Text: serverText, HungUp: hungUp, TooMany: tooMany, Changed: changed,
	Refused:   func(err error) bool { return refused(code(err)) },
	Temporary: func(err error) bool { return temporary(code(err)) },
	NoTLS:     noTLS,
	Handshake: handshakeFailed,
}

// serverText is the server's error in one line, or what the driver reports about a response of the server.
func serverText(err error) string {
	if e, ok := answer(err); ok {
		text := strings.Join(strings.Fields(strings.TrimPrefix(e.Message, "login error: ")), " ")
		return fmt.Sprintf("%s (error %d)", text, e.Number)
	}
	if inner := broken(err); inner != nil {
		return link.Shorten(inner, serverText, cutOff).Error()
	}
	if cutOff(err) {
		return link.Lost
	}
	if text, ok := strings.CutPrefix(err.Error(), handshakeText); ok && link.Brief(err) == nil {
		return text
	}
	if network, ok := errors.AsType[net.Error](err); fatal(err) || ok && network.Timeout() && link.Brief(err) == nil {
		return err.Error()
	}
	return ""
}

// hungUp reports whether the connection ended, with or without an error of the server or the network. The driver
// reports a handshake error as text: if it is not about TLS, it is about the network.
func hungUp(err error) bool {
	if inner := broken(err); inner != nil {
		return hungUp(inner)
	}
	_, network := errors.AsType[net.Error](err)
	return network || cutOff(err) || fatal(err) || strings.HasPrefix(err.Error(), handshakeText)
}

// mayPass reports whether a statement may succeed later, perhaps in another session. If connecting failed, it
// has been tried often enough.
func mayPass(err error) bool {
	if _, ok := errors.AsType[*source.Error](err); ok {
		return false
	}
	return err != nil && (hungUp(err) || temporary(code(err)))
}

// cutOff reports whether the connection ended without an error from the server.
func cutOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn)
}

// broken is why a response broke off in the middle, which the driver does not wrap; nil for other errors.
func broken(err error) error {
	if e, ok := errors.AsType[mssql.StreamError](err); ok {
		return e.InnerError
	}
	return nil
}

// The driver reports errors of TLS, and of the browser service, only as text.
const (
	handshakeText  = "TLS Handshake failed: "
	noTLSText      = "server does not support encryption"
	noInstanceText = "no instance matching "
)

// handshakeFailed reports whether the TLS handshake failed.
func handshakeFailed(err error) bool {
	text, handshake := strings.CutPrefix(err.Error(), handshakeText)
	return handshake && strings.Contains(text, "tls: ")
}

func noTLS(err error) bool { return err.Error() == noTLSText }

// ConnectError explains why no session could be opened.
func (d *database) ConnectError(err error) error {
	e := &source.Error{Kind: source.ErrUnreachable, Err: fmt.Errorf("connect to SQL Server at %s: %w", d.set.address(), verdicts.Shorten(err))}
	switch c := code(err); {
	case c == codeNotOpened:
		e.Kind, e.Hint = source.ErrConfig, fmt.Sprintf("check database: it does not exist, or CREATE USER … FOR LOGIN %s; in it", quote.Ident(d.set.User))
	case c == codeLogin:
		e.Kind, e.Hint = source.ErrAuth, "check username and password; SQL Server returns the same error for both, and if it does not allow SQL Server logins (mixed mode is off)"
	case c == codeNoTrust:
		e.Kind, e.Hint = source.ErrAuth, `username must be a SQL Server login, which the server must allow (mixed mode), or DOMAIN\USER of a domain that it trusts`
	case c == codeDisabled, c == codeLocked, c == codeExpired, c == codeMustChange:
		e.Kind, e.Hint = source.ErrAuth, fmt.Sprintf("see ALTER LOGIN %s … on the server", quote.Ident(d.set.User))
	case c == codeFirewall, c == codeNoNetwork:
		e.Kind, e.Hint = source.ErrAuth, "allow this machine in the server's firewall"
	case c == codeNotPublic:
		e.Kind, e.Hint = source.ErrAuth, "the server allows only private endpoints: connect through one, or allow public networks"
	case c == codeNoServer:
		e.Kind, e.Hint = source.ErrConfig, "check host; if it is an address or another name of the server, username must be LOGIN@SERVER"
	case c == codeReadOnlyNode:
		e.Kind, e.Hint = source.ErrConfig, "connect to the primary replica, or allow all connections to this one: READ_ONLY_ROUTING and ApplicationIntent are not supported"
	case handshakeFailed(err):
		e.Kind, e.Hint = source.ErrConfig, d.tlsHint(err.Error())
	case strings.HasPrefix(err.Error(), handshakeText):
		e.Hint = "the server closed the connection at the TLS handshake: see its log; it may be starting, or have no usable certificate"
	case c == 0 && cutOff(err):
		e.Hint = "the server, or a device in between, closed the connection without a response: check host and port; a server that requires strict encryption (TDS 8.0) does this, and is not supported"
	case errors.Is(err, errNoDatabaseRow):
		e.Kind, e.Hint = source.ErrAuth, fmt.Sprintf("let the login see it: GRANT VIEW ANY DATABASE TO %s; in master", quote.Ident(d.set.User))
	case strings.HasPrefix(err.Error(), noInstanceText):
		e.Hint = `check host: the browser service of the server (port 1434, UDP) knows no such instance, or does not respond; without \INSTANCE in host, port is used`
	default:
		e.Hint, e.Kind = verdicts.Connecting(err)
	}
	return e
}

// tlsHint is the hint for a failed handshake; the driver leaves only the text of the error.
func (d *database) tlsHint(text string) string {
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	switch {
	case has("protocol version", "unsupported protocol", "unsupported versions"):
		return "the server does not offer TLS 1.2 or later, which even the login needs"
	case has("handshake failure", "cipher suite"):
		return "the server and this program have no cipher in common: enable the ciphers of TLS 1.2 with forward secrecy (ECDHE)"
	case has("does not look like a TLS handshake", "oversized record"):
		return "the server there does not speak TLS: check host and port"
	case has("parse certificate", "negative serial"):
		return "the server's certificate cannot be read: give the server another one"
	case has(errSelfMade.Error()):
		return "no authority signed it: give the server a certificate of an authority in ssl_ca, or set ssl_enabled: false"
	case d.set.tls == nil:
		return "the handshake failed although certificates are not verified: see the log of the server"
	case !d.set.validateHost:
		return "ssl_ca must contain the authority that signed the server's certificate"
	}
	return "ssl_ca must contain the authority that signed the server's certificate, and host must be a name in the certificate, or set validate_host: false"
}

// Explain implements [sqlread.Dialect].
func (d *database) Explain(p *part, e *source.Error, err error) {
	switch c := code(err); {
	case refused(c):
		e.Hint = d.grantHint(p, err)
	case c == codeNoTable, errors.Is(err, errTableGone):
		e.Kind, e.Hint = nil, "it was dropped or renamed since the run began; the next run will determine which"
	case c == codeNoColumn:
		e.Hint = "its columns changed while it was read; run again"
	case errors.Is(err, sqlread.ErrTableChanged), c == codeAltered:
		e.Kind, e.Hint = source.ErrTemporary, "nothing in the table is deleted; run again"
	case c == codeBrokenView, c == codeWrongColumns:
		e.Kind, e.Hint = source.ErrConfig, "repair the view, "+p.LeaveOut(&d.set.tables)
	}
}
