package networkdrive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"sync"
	"time"

	"github.com/hirochachacha/go-smb2"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

// How long the server may take, and how often a failed request is tried.
const (
	dialPatience = 30 * time.Second
	tries        = 4 // without progress
	firstWait    = 500 * time.Millisecond
)

// server hands out sessions, each to one user at a time: on one connection, a large request can leave too few
// credits for another. A session is opened when none is idle, so there are as many as files are read and folders
// listed at a time.
type server struct {
	login login
	wait  time.Duration // before the first retry, doubled each time
	limit time.Duration // of one request; 0 for none

	mu      sync.Mutex
	idle    []*session
	refused error // the refused login; it is not retried, because that may lock the account
}

func newServer(l login, limit time.Duration) *server {
	return &server{login: l, wait: firstWait, limit: limit}
}

// session is one login on a connection of its own.
type session struct {
	conn   net.Conn
	smb    *smb2.Session
	shares map[string]*smb2.Share
	limit  time.Duration
	broken bool // it cannot be used anymore
}

// try repeats an operation that failed because a connection was lost, as long as there is progress, and a few times
// without.
func (v *server) try(ctx context.Context, do func() (progress bool, err error)) error {
	for n, wait := 1, v.wait; ; n++ {
		progress, err := do()
		if err == nil || !isLost(err) {
			return err
		}
		if progress {
			n, wait = 0, v.wait
		}
		if n >= tries {
			return err
		}
		if err := link.Pause(ctx, wait); err != nil {
			return err
		}
		wait *= 2
	}
}

// with calls use with a session.
func (v *server) with(ctx context.Context, use func(*session) error) error {
	s, err := v.take(ctx)
	if err != nil {
		return err
	}
	defer v.give(s)
	return use(s)
}

func (v *server) take(ctx context.Context) (*session, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	v.mu.Lock()
	if err := v.refused; err != nil {
		v.mu.Unlock()
		return nil, err
	}
	if n := len(v.idle); n > 0 {
		s := v.idle[n-1]
		v.idle = v.idle[:n-1]
		v.mu.Unlock()
		return s, nil
	}
	v.mu.Unlock()
	s, err := v.open(ctx)
	if errors.Is(err, source.ErrAuth) {
		v.mu.Lock()
		v.refused = err
		v.mu.Unlock()
	}
	return s, err
}

func (v *server) give(s *session) {
	if s.broken {
		_ = s.conn.Close() // it cannot be used anymore
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.idle = append(v.idle, s)
}

// close ends the sessions. The server drops a session with its connection.
func (v *server) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range v.idle {
		_ = s.conn.Close() // the session only read
	}
	v.idle = nil
}

// open connects and logs in.
func (v *server) open(ctx context.Context) (*session, error) {
	dialing, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(dialing, "tcp", v.login.address)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &source.Error{
			Kind: source.ErrUnreachable, Err: fmt.Errorf("cannot reach %s: %w", v.login.address, err),
			Hint: "check " + fieldServer + " and " + fieldPort + ", and that no firewall is in between",
		}
	}
	tap := &tap{Conn: conn}
	s := &session{conn: tap, shares: map[string]*smb2.Share{}, limit: v.limit}
	d := smb2.Dialer{Initiator: &smb2.NTLMInitiator{User: v.login.user, Password: v.login.password, Domain: v.login.domain}}
	err = s.call(ctx, func() (err error) { s.smb, err = d.DialContext(ctx, tap); return err })
	switch {
	case err != nil && ctx.Err() != nil:
		err = context.Cause(ctx)
	case err != nil:
		err = v.loginError(err)
	case tap.guest && !v.login.isGuest():
		err = &source.Error{
			Kind: source.ErrAuth, Err: fmt.Errorf("the server let %q in as a guest, who may see fewer files", v.login.user),
			Hint: "correct " + fieldUser + "; to read as a guest, set " + fieldUser + ": guest",
		}
	}
	if err != nil {
		_ = conn.Close() // the failure is already reported
		return nil, err
	}
	return s, nil
}

// mount connects to a share.
func (s *session) mount(ctx context.Context, name string) (*smb2.Share, error) {
	if m := s.shares[name]; m != nil {
		return m, nil
	}
	var m *smb2.Share
	if err := s.call(ctx, func() (err error) { m, err = s.smb.Mount(name); return err }); err != nil {
		return nil, err
	}
	s.shares[name] = m
	return m, nil
}

// call makes a request. It ends with ctx, or when the server takes too long; after either, and after a response that
// was lost or is invalid, the session is broken.
func (s *session) call(ctx context.Context, request func() error) error {
	if s.broken {
		return &smb2.TransportError{Err: net.ErrClosed}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if s.limit > 0 {
		_ = s.conn.SetDeadline(time.Now().Add(s.limit)) // on a closed connection the request fails
	}
	stop := context.AfterFunc(ctx, func() { _ = s.conn.SetDeadline(time.Unix(1, 0)) })
	err := request()
	if !stop() {
		s.broken = true
		return context.Cause(ctx)
	}
	if isLost(err) {
		s.broken = true
		return err
	}
	_ = s.conn.SetDeadline(time.Time{})
	return err
}

// lost is the error of a session that broke.
func (s *session) lost() error {
	if s.broken {
		return &smb2.TransportError{Err: io.ErrUnexpectedEOF}
	}
	return nil
}

// isLost reports whether err is about the connection or the session, so that a retry on another may work.
func isLost(err error) bool {
	if _, ok := errors.AsType[*smb2.TransportError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*smb2.ContextError](err); ok {
		return true
	}
	if errors.Is(err, source.ErrUnreachable) {
		return true
	}
	switch statusOf(err) {
	case statusUserSessionDeleted, statusNetworkSessionExpired, statusNetworkNameDeleted, statusFileClosed,
		statusInsufficientResources, statusInsufficientServerResources, statusIOTimeout:
		return true
	}
	return false
}

// statusOf is the status that the server answered, 0 for none.
func statusOf(err error) uint32 {
	if e, ok := errors.AsType[*smb2.ResponseError](err); ok {
		return e.Code
	}
	return 0
}

// Statuses of the server, see [MS-ERREF] 2.3.1.
const (
	statusSharingViolation            = 0xc0000043
	statusFileLockConflict            = 0xc0000054
	statusDeletePending               = 0xc0000056
	statusInsufficientResources       = 0xc000009a
	statusIOTimeout                   = 0xc00000b5
	statusFileIsADirectory            = 0xc00000ba
	statusNetworkNameDeleted          = 0xc00000c9
	statusBadNetworkName              = 0xc00000cc
	statusNotADirectory               = 0xc0000103
	statusFileClosed                  = 0xc0000128
	statusUserSessionDeleted          = 0xc0000203
	statusInsufficientServerResources = 0xc0000205
	statusPathNotCovered              = 0xc0000257
	statusNetworkSessionExpired       = 0xc000035c
)

// refusals are the statuses of a login that is refused, with what to do.
var refusals = map[uint32][2]string{
	0xc000005e: {"the server cannot reach a domain controller", "check the server's connection to its domain"},
	0xc000006d: {"wrong user or password", "correct " + fieldUser + " and " + fieldPassword + "; a domain's user is DOMAIN\\user"},
	0xc000006e: {"the account is not allowed to log in here", "lift the restriction of the account, or give it a password"},
	0xc000006f: {"the account is not allowed to log in at this hour", "allow logins at the time of the sync"},
	0xc0000070: {"the account is not allowed to log in from this computer", "allow logins from this computer"},
	0xc0000071: {"the password has expired", "change the password"},
	0xc0000072: {"the account is disabled", "enable the account"},
	0xc000015b: {"the account is not allowed to log in over the network", "grant it the right 'Access this computer from the network'"},
	0xc0000193: {"the account has expired", "renew the account"},
	0xc0000224: {"the password must be changed first", "change the password"},
	0xc0000234: {"the account is locked", "unlock the account, and correct " + fieldPassword + " before the next run"},
	0xc0000418: {"the server does not accept NTLM", "allow NTLM for this account: this connector does not support Kerberos"},
}

// loginError says why a login failed.
func (v *server) loginError(err error) error {
	if why, ok := refusals[statusOf(err)]; ok {
		return &source.Error{Kind: source.ErrAuth, Err: fmt.Errorf("login as %q refused: %s", v.login.user, why[0]), Hint: why[1]}
	}
	if errors.Is(err, fs.ErrPermission) {
		return &source.Error{Kind: source.ErrAuth, Err: fmt.Errorf("login as %q refused: access denied", v.login.user)}
	}
	return fmt.Errorf("log in to %s: %w", v.login.address, err)
}
