package mongodb

import (
	"errors"
	"net/url"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

const (
	scheme    = "mongodb://"
	schemeSRV = "mongodb+srv://"
)

// address is the connection string of the field host.
type address struct {
	text    string // as passed to the driver
	srv     bool
	login   string // the part before the @; "" for none
	rest    string // the part after it
	secrets []string
}

// parseAddress reads a connection string, or hosts alone. A password with unescaped characters
// is detected here, before a part of it could be resolved as a host or quoted as a database
// in a message.
func parseAddress(text string) (a address, err error) {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "://") {
		text = scheme + text
	}
	a.text = text
	begin := scheme
	if a.srv = strings.HasPrefix(text, schemeSRV); a.srv {
		begin = schemeSRV
	}
	rest, ok := strings.CutPrefix(text, begin)
	if !ok {
		return a, form.ConfigError(errors.New("host: the address has an unknown scheme"), "write mongodb://host:27017 or mongodb+srv://host")
	}
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		a.rest = rest
		return a.slashed(begin), nil
	}
	a.login, a.rest = rest[:at], rest[at+1:]
	user, password, _ := strings.Cut(a.login, ":")
	if strings.ContainsAny(a.login, "@/?#[]") || strings.Contains(password, ":") || !escaped(user) || !escaped(password) {
		return a, form.ConfigError(errors.New("host: user and password in the address contain characters that must be percent-encoded"),
			"put them into the fields user and password, where they are used literally, or write @ as %40, : as %3A, / as %2F, % as %25")
	}
	a = a.slashed(begin)
	if plain, _ := url.PathUnescape(password); plain != "" {
		a.secrets = append(a.secrets, plain, password)
	}
	return a, nil
}

// slashed adds the slash between hosts and options, which is often omitted.
func (a address) slashed(begin string) address {
	if q := strings.IndexByte(a.rest, '?'); q >= 0 && !strings.Contains(a.rest[:q], "/") {
		a.rest = a.rest[:q] + "/" + a.rest[q:]
	}
	a.text = begin + a.rest
	if a.login != "" {
		a.text = begin + a.login + "@" + a.rest
	}
	return a
}

// escaped reports whether every percent sign begins an escape.
func escaped(s string) bool { _, err := url.PathUnescape(s); return err == nil }

// with is the address with its own user and password replaced by user and password, each unless it is empty. As part of
// the address they use the authentication database and the mechanism of the address, or of the DNS record of an SRV
// host.
func (a address) with(user, password string) address {
	if user == "" && password == "" {
		return a
	}
	ownUser, ownPassword, has := strings.Cut(a.login, ":")
	if user != "" {
		ownUser = percentEncode(user)
	}
	if password != "" {
		ownPassword, has = percentEncode(password), true
		a.secrets = append(a.secrets, password, ownPassword)
	}
	a.login = ownUser
	if has {
		a.login += ":" + ownPassword
	}
	begin := scheme
	if a.srv {
		begin = schemeSRV
	}
	a.text = begin + a.login + "@" + a.rest
	return a
}

// percentEncode leaves only letters, digits, - . _ and ~ unchanged.
func percentEncode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// redact removes the password from a text.
func (a address) redact(text string) string {
	for _, s := range a.secrets {
		text = strings.ReplaceAll(text, s, "•••")
	}
	return text
}

// option is the value of a case-insensitive option of the address; "" for none.
func (a address) option(name string) string {
	_, query, _ := strings.Cut(a.rest, "?")
	for part := range strings.FieldsFuncSeq(query, func(r rune) bool { return r == '&' || r == ';' }) {
		key, value, _ := strings.Cut(part, "=")
		if strings.EqualFold(key, name) {
			if plain, err := url.QueryUnescape(value); err == nil {
				value = plain
			}
			return value
		}
	}
	return ""
}

// hosts are the hosts of the address, for messages.
func (a address) hosts() string {
	hosts, _, _ := strings.Cut(a.rest, "/")
	return hosts
}
