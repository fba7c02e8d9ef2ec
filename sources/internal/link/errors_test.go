package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// TestBrief checks that the prefixes of drivers are removed from an error of the network, and the cause is still found.
func TestBrief(t *testing.T) {
	t.Parallel()
	cause := errors.New("connection refused")
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"network":        {&net.OpError{Op: "dial", Net: "tcp", Err: cause}, "dial tcp: connection refused"},
		"name":           {&net.DNSError{Err: "no such host", Name: "h"}, "lookup h: no such host"},
		"stall":          {&StallError{Limit: time.Second}, "the server has sent nothing for 1s, the stall timeout"},
		"deadline":       {context.DeadlineExceeded, "the server did not respond in time"},
		"something else": {cause, ""},
	} {
		wrapped := fmt.Errorf("user x at 10.0.0.7, attempt 3: %w", tt.err)
		brief := Brief(wrapped)
		if (brief != nil) != (tt.want != "") {
			t.Errorf("%s: %v", name, brief)
		}
		if brief != nil && (brief.Error() != tt.want || !errors.Is(brief, tt.err)) {
			t.Errorf("%s: got %v", name, brief)
		}
	}
}

func TestHandshakeFailed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"certificate": {&tls.CertificateVerificationError{Err: errors.New("x")}, true},
		"no TLS":      {tls.RecordHeaderError{Msg: "x"}, true},
		"alert":       {tls.AlertError(40), true},
		"network":     {&net.OpError{Op: "read", Err: errors.New("x")}, false},
	} {
		if got := HandshakeFailed(fmt.Errorf("connect: %w", tt.err)); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestMayPass(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err               error
		handshake, hungUp bool
		want              bool
	}{
		"no such name":        {err: &net.DNSError{IsNotFound: true}},
		"no answer to a name": {err: &net.DNSError{IsTimeout: true}, want: true},
		"a certificate":       {err: errors.New("x"), handshake: true},
		"the network":         {err: &net.OpError{Op: "dial", Err: errors.New("refused")}, want: true},
		"hung up":             {err: errors.New("x"), hungUp: true, want: true},
		"a deadline":          {err: context.DeadlineExceeded, want: true},
		"something else":      {err: errors.New("x")},
	} {
		if got := MayPass(fmt.Errorf("connect: %w", tt.err), tt.handshake, tt.hungUp); got != tt.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// TestShorten checks that an error has one line, that of the server before that of the network.
func TestShorten(t *testing.T) {
	t.Parallel()
	answered := errors.New("the server's error")
	text := func(err error) string {
		if errors.Is(err, answered) {
			return "no such table"
		}
		return ""
	}
	hungUp := func(err error) bool { return errors.Is(err, io.EOF) }
	for want, err := range map[string]error{
		"no such table":         &net.OpError{Op: "read", Err: answered},
		"read: reset":           &net.OpError{Op: "read", Err: errors.New("reset")},
		Lost:                    fmt.Errorf("packets: %w", io.EOF),
		"two lines":             errors.New("two\n  lines"),
		"something  else":       errors.New("something  else"),
		"read: EOF":             &net.OpError{Op: "read", Err: io.EOF},
		(&StallError{}).Error(): fmt.Errorf("%w after %w", io.EOF, &StallError{}),
	} {
		if got := Shorten(err, text, hungUp); got.Error() != want || !errors.Is(got, err) {
			t.Errorf("%q: got %q", want, got)
		}
	}
}
