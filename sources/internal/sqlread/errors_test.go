package sqlread

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestErrorsOfConnecting checks the kind of errors for which a dialect has no better explanation, and which are retried.
func TestErrorsOfConnecting(t *testing.T) {
	t.Parallel()
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	answered, noTLS, busy := errors.New("an answer"), errors.New("no TLS"), errors.New("busy")
	v := Verdicts{
		Coded: is(answered), Temporary: is(busy), HungUp: is(io.EOF), NoTLS: is(noTLS),
	}
	for name, tt := range map[string]struct {
		err, kind error
		hint      string
		again     bool
	}{
		"a busy server":      {err: fmt.Errorf("%w: %w", answered, busy), kind: source.ErrTemporary, again: true},
		"any other answer":   {err: answered},
		"no TLS":             {err: noTLS, kind: source.ErrConfig, hint: "ssl_enabled: false"},
		"a certificate":      {err: &tls.CertificateVerificationError{Err: errors.New("x")}, kind: source.ErrConfig, hint: "ssl_ca must contain"},
		"a lost connection":  {err: io.EOF, kind: source.ErrUnreachable, hint: "check host and port", again: true},
		"a refused one":      {err: &net.OpError{Op: "dial", Err: errors.New("x")}, kind: source.ErrUnreachable, hint: "check host and port", again: true},
		"an unknown host":    {err: &net.DNSError{IsNotFound: true}, kind: source.ErrUnreachable, hint: "check host and port"},
		"an unknown failure": {err: errors.New("x"), kind: source.ErrUnreachable, hint: "check host and port"},
	} {
		hint, kind := v.Connecting(tt.err)
		sqltest.Refuse(t, &source.Error{Kind: kind, Err: tt.err, Hint: hint}, tt.kind, tt.hint)
		if again := v.WorthRetrying(tt.err); again != tt.again || !errors.Is(kind, tt.kind) {
			t.Errorf("%s: retried %t, kind %v", name, again, kind)
		}
	}
	failed := errors.New("a handshake error of the driver")
	v.Handshake = is(failed)
	hint, kind := v.Connecting(failed)
	sqltest.Refuse(t, &source.Error{Kind: kind, Err: failed, Hint: hint}, source.ErrConfig, "ssl_ca must contain")
	if v.WorthRetrying(fmt.Errorf("%w: %w", failed, io.EOF)) {
		t.Error("a handshake error of the driver is retried")
	}
}
