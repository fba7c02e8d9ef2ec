package mongodb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

// The errors of the server that matter here, see
// https://www.mongodb.com/docs/manual/reference/error-codes/.
const (
	codeUnauthorized  = 13
	codeBadLogin      = 18
	codeNoNamespace   = 26
	codeNoCommand     = 59
	codePlanKilled    = 175  // the collection was dropped, or an index
	codeBadPassword   = 8000 // of Atlas
	codeNeedsLogin    = 33000
	codeUserNotFound  = 11
	codeMechanismMiss = 334
	codeCappedLost    = 136 // the position of a cursor was overwritten
	codeHistoryLost   = 286 // the position of a change stream was overwritten
)

// temporary are the temporary errors: the server is unreachable, shuts down or is no
// longer the primary, it lost a cursor, or a time limit was reached.
var temporary = []int{
	6, 7, 24, 43, 46, 50, 63, 89, 91, 112, 117, 133, 134, 136, 150, 189, 202, 234, 237, 239, 246, 262, 290, 356, 358, 384, 407,
	9001, 10058, 10107, 11600, 11601, 11602, 13388, 13435, 13436, codePlanKilled,
}

// code is the number of the server's error, 0 if err has another origin.
func code(err error) int {
	if e, ok := errors.AsType[mongo.CommandError](err); ok {
		return int(e.Code)
	}
	return 0
}

// refused reports whether a privilege is missing, or the login was refused.
func refused(err error) bool {
	switch code(err) {
	case codeUnauthorized, codeBadLogin, codeBadPassword, codeNeedsLogin, codeUserNotFound:
		return true
	}
	return badLogin(err)
}

// badLogin reports whether the driver could not log in.
func badLogin(err error) bool {
	return err != nil && strings.Contains(err.Error(), "auth error")
}

// kindOf is the kind of an error, unless a caller knows better.
func kindOf(err error) error {
	c := code(err)
	switch {
	case errors.Is(err, context.Canceled):
		return nil
	case refused(err):
		return source.ErrAuth
	case slices.Contains(temporary, c), c == 0 && networkError(err):
		return source.ErrTemporary
	}
	return nil
}

// serverSelection is in the errors of the driver when no server can be used.
const serverSelection = "server selection error"

// networkError reports whether the connection to the server broke.
func networkError(err error) bool {
	if mongo.IsNetworkError(err) || mongo.IsTimeout(err) {
		return true
	}
	if _, stalled := errors.AsType[*link.StallError](err); stalled {
		return true
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), serverSelection)
}

// worthRetrying reports whether another attempt may succeed: never if a credential was refused, so that a wrong
// password locks no account.
func worthRetrying(err error) bool {
	return !tlsFailed(err) && !tooOld(err) && !unknownHost(err) && errors.Is(kindOf(err), source.ErrTemporary)
}

// tlsFailed reports whether the TLS handshake failed. For errors during server selection, the driver keeps only
// the text.
func tlsFailed(err error) bool {
	return link.HandshakeFailed(err) || strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "x509: ")
}

// tooOld reports whether the driver does not support the server's version.
func tooOld(err error) bool { return strings.Contains(err.Error(), "wire version") }

// unknownHost reports whether a host name cannot be resolved.
func unknownHost(err error) bool {
	d, ok := errors.AsType[*net.DNSError](err)
	return ok && d.IsNotFound || strings.Contains(err.Error(), "no such host")
}

// connectError explains why a request that is not about one collection failed.
func (d *database) connectError(ctx context.Context, err error, doing string) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	if e, ok := errors.AsType[*source.Error](err); ok {
		return e
	}
	e := &source.Error{Kind: source.ErrUnreachable, Err: fmt.Errorf("%s: %w", doing, d.shorten(err))}
	switch {
	case badLogin(err), code(err) == codeBadLogin, code(err) == codeUserNotFound, code(err) == codeBadPassword:
		e.Kind, e.Hint = source.ErrAuth, "check user and password, and the authentication database: authSource in host, else admin"
	case code(err) == codeNeedsLogin, code(err) == codeUnauthorized:
		e.Kind, e.Hint = source.ErrAuth, "let the user read the database: "+d.grant("")
		if !d.hasLogin() {
			e.Hint = "the server requires a login: set user and password"
		}
	case tooOld(err):
		e.Kind, e.Hint = source.ErrConfig, "MongoDB 4.4 or later is required, or a compatible server"
	case tlsFailed(err):
		e.Kind, e.Hint = source.ErrConfig, link.UntrustedHint
	case code(err) != 0 && !slices.Contains(temporary, code(err)):
		e.Kind = nil
	case code(err) != 0:
		e.Kind = source.ErrTemporary
	default:
		e.Hint = "check host, and that the server is listening there; for TLS set ssl_enabled: true, for a single member of a replica set direct_connection: true"
	}
	return e
}

// hasLogin reports whether the configuration has credentials.
func (d *database) hasLogin() bool { return d.set.client.Auth != nil }

// shorten shortens a driver's error, and removes the password. The cause can still be found in the
// chain.
func (d *database) shorten(err error) error {
	if e, ok := errors.AsType[mongo.CommandError](err); ok && e.Code != 0 {
		return d.brief(fmt.Sprintf("%s (error %d, %s)", strings.Join(strings.Fields(e.Message), " "), e.Code, e.Name), err)
	}
	if e, ok := errors.AsType[*handshakeError](err); ok {
		return d.brief("no server can be used: "+e.handshake.Error(), err)
	}
	text := err.Error()
	if at := strings.LastIndex(text, "Last error: "); at >= 0 {
		text = text[at+len("Last error: "):]
		text, _, _ = strings.Cut(text, " }")
		return d.brief("no server can be used: "+text, err)
	}
	if brief := link.Brief(err); brief != nil {
		return d.brief(brief.Error(), err)
	}
	if strings.Contains(text, serverSelection) && !tooOld(err) {
		return d.brief("no server can be used: "+strings.TrimPrefix(text, serverSelection+": "), err)
	}
	return d.brief(strings.Join(strings.Fields(text), " "), err)
}

func (d *database) brief(text string, err error) error {
	return &link.BriefError{Text: d.redact(text), Err: err}
}

// redact removes the password from a text.
func (d *database) redact(text string) string { return d.set.login.redact(text) }

// grant is the command that allows the user to read a collection, or the complete database.
func (d *database) grant(collection string) string {
	user := d.set.user
	if user == "" {
		user, _, _ = strings.Cut(d.set.address.login, ":")
	}
	if user == "" {
		user = "the user"
	}
	if collection == "" {
		return fmt.Sprintf("db.grantRolesToUser(%q, [{role: \"read\", db: %q}])", user, d.set.database)
	}
	return fmt.Sprintf("a role with {resource: {db: %q, collection: %q}, actions: [\"find\"]} for %s", d.set.database, collection, user)
}
