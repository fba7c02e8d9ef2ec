package form

import (
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// Login is what the form of a database says of its server and of who reads.
type Login struct {
	Host           string
	Port           int
	User, Password string
	Attempts       int // to connect, in all
}

// ReadLogin reads it; user is the key that has the user's name.
func ReadLogin(v field.Values, user string) Login {
	l := Login{
		Host: strings.TrimSpace(v.String("host")), Port: v.Int("port"), User: v.String(user), Password: v.String("password"),
		Attempts: max(1, v.Int("retry_count")),
	}
	l.Host = WithoutBrackets(l.Host)
	return l
}

// WithoutBrackets is a host without those that people paste an IPv6 address in.
func WithoutBrackets(host string) string {
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}
