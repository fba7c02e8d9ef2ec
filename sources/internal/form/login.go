package form

import (
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// Login is what the form of a database says about its server and user.
type Login struct {
	Host           string
	Port           int
	User, Password string
	Attempts       int // to connect, in total
}

// ReadLogin reads it; user is the key that contains the user's name.
func ReadLogin(v field.Values, user string) Login {
	l := Login{
		Host: strings.TrimSpace(v.String("host")), Port: v.Int("port"), User: v.String(user), Password: v.String("password"),
		Attempts: max(1, v.Int("retry_count")),
	}
	l.Host = WithoutBrackets(l.Host)
	return l
}

// LoginForm is what the form of a database says about the fields that [ReadLogin] reads, which are its first ones.
type LoginForm struct {
	Host, User string // the tooltips
	UserKey    string // the key that contains the user's name
	Port       string // where such a server usually listens
}

// Fields are these fields.
func (l LoginForm) Fields() []field.Spec {
	return []field.Spec{
		{Name: "host", Label: "Host", Order: 1, Tooltip: l.Host},
		Port(2, l.Port),
		{Name: l.UserKey, Label: "Username", Order: 3, Tooltip: l.User},
		Password(4),
	}
}

// OnSocket reports whether the server is reached by a Unix socket.
func (l *Login) OnSocket() bool { return strings.HasPrefix(l.Host, "/") }

// WithoutBrackets is a host without the brackets around a pasted IPv6 address.
func WithoutBrackets(host string) string {
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}
