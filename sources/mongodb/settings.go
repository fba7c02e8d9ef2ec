package mongodb

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

const (
	connectTimeout = 15 * time.Second // to connect, to find a server, and for each question that is not a read
	appName        = "elastic-ingest"
)

// settings are the configuration, read and checked.
type settings struct {
	address     address
	login       address // with user and password
	user        string
	database    string
	collections names
	client      *options.ClientOptions
	insecure    bool // any certificate is accepted
	values      valueForms
	fields      []string // to read, or to leave out; nil for all
	exclude     bool
	rule        *rule
	streams     bool   // changes are followed
	read        string // what of the collections is read, where changes are followed
	attempts    int    // in a row
}

func newSettings(v field.Values, env source.Env) (s settings, err error) {
	s = settings{user: v.String("user"), database: v.String("database"), attempts: max(1, v.Int("retry_count"))}
	if s.database == "" || strings.ContainsAny(s.database, "/\\. \"$\x00") {
		return s, form.ConfigError(fmt.Errorf("database: %q is not the name of a database", s.database), "name one database; its collections go into collection:")
	}
	if s.collections, err = parseNames(v.String("collection")); err != nil {
		return s, form.ConfigError(fmt.Errorf("collection: %w", err), "name collections between commas, or * for all")
	}
	if s.fields, s.exclude, err = parseProjection(v.List("fields")); err != nil {
		return s, form.ConfigError(fmt.Errorf("fields: %w", err), "write fields: [name, address.city] to read only those, or fields: [-secret] to read all others")
	}
	if s.rule, err = parseRule(env.AdvancedRules); err != nil {
		return s, err
	}
	if s.rule != nil && !s.collections.single() {
		return s, form.ConfigError(errors.New("advanced_rules: more than one collection is configured"), "name the one collection that the rule is about with collection:")
	}
	if s.rule != nil && s.fields != nil {
		return s, form.ConfigError(errors.New("advanced_rules and fields: exclude each other"), "name the fields in the projection or the pipeline of the rule")
	}
	if s.address, err = parseAddress(v.String("host")); err != nil {
		return s, err
	}
	if s.values, err = newValueForms(v.String("datetime_conversion"), s.address.option("uuidRepresentation"), env.Encoding); err != nil {
		return s, err
	}
	if err = s.newClient(v); err == nil && v.Bool("change_streams") {
		err = s.follow(v)
	}
	return s, err
}

// follow checks that what is read can be kept up to date by a change stream, and notes what it is.
func (s *settings) follow(v field.Values) error {
	refused := func(what, hint string) error {
		return form.ConfigError(errors.New("change_streams: "+what), hint+", or set change_streams: false")
	}
	if p := s.client.ReadPreference; p != nil && p.Mode() != readpref.PrimaryMode {
		return refused("host says readPreference, and a change that another member does not have yet would be lost", "take readPreference out of host")
	}
	switch c := s.client.ReadConcern; {
	case c == nil || c.Level == "":
		s.client.SetReadConcern(readconcern.Majority())
	case c.Level != "majority" && c.Level != "snapshot":
		return refused("host says readConcernLevel="+c.Level+", and change streams tell of what a majority has", "take readConcernLevel out of host")
	}
	if s.rule != nil {
		if name := s.rule.unfollowable(); name != "" {
			return refused("advanced_rules: what "+name+" chooses cannot be told of one document alone", "write the rule with find.filter and find.projection only")
		}
	}
	s.streams = true
	s.read = fmt.Sprintf("%q", []any{
		s.database, v.String("collection"), v.List("fields"), v.String("datetime_conversion"), s.address.option("uuidRepresentation"),
	})
	return nil
}

// newClient makes the options of the driver's client.
func (s *settings) newClient(v field.Values) error {
	if err := s.agree(v); err != nil {
		return err
	}
	if v.String("password") != "" && s.user == "" && s.address.login == "" {
		return form.ConfigError(errors.New("password: there is no user that it belongs to"), "set user, or remove the password")
	}
	s.login = s.address.with(s.user, v.String("password"))
	s.client = options.Client().ApplyURI(s.login.text)
	if err := s.client.Validate(); err != nil { // an SRV address was looked up by now
		return s.optionError(err)
	}
	if s.client.AppName == nil {
		s.client.SetAppName(appName)
	}
	if s.client.ServerSelectionTimeout == nil {
		s.client.SetServerSelectionTimeout(connectTimeout)
	}
	if s.client.ConnectTimeout == nil {
		s.client.SetConnectTimeout(connectTimeout)
	}
	// The driver would retry until the deadline of a call, and takes timeoutMS for the life of a whole cursor; both
	// are ours to decide.
	s.client.SetRetryReads(false)
	s.client.Timeout = nil
	if v.Bool("direct_connection") {
		s.client.SetDirect(true)
	}
	if p := s.client.ReadPreference; p != nil && p.Mode() != readpref.PrimaryMode && s.client.ReadConcern == nil {
		// What servers up to 4.4 take otherwise returns copies that a migration between shards left.
		s.client.SetReadConcern(readconcern.Local())
	}
	if err := s.useTLS(v); err != nil {
		return err
	}
	if err := s.client.Validate(); err != nil {
		return s.optionError(err)
	}
	return nil
}

// optionError is an error of the address, without what is secret in it.
func (s *settings) optionError(err error) error {
	text := s.login.redact(err.Error())
	if _, lookup := errors.AsType[*net.DNSError](err); lookup {
		return &source.Error{Kind: source.ErrUnreachable, Err: fmt.Errorf("host: %s", text), Hint: "check host, and the name server"}
	}
	hint := "correct host:; see https://www.mongodb.com/docs/manual/reference/connection-string/"
	if s.address.option("tlsCertificateKeyFile") != "" && strings.Contains(text, "open ") || strings.Contains(text, "decrypt") || strings.Contains(text, "PEM") {
		hint = "check tlsCertificateKeyFile and tlsCertificateKeyFilePassword in host:"
	}
	return form.ConfigError(fmt.Errorf("host: %s", text), hint)
}

// agree checks that the fields and the address say the same of TLS.
func (s *settings) agree(v field.Values) error {
	enabled := v.Bool("ssl_enabled")
	for _, name := range []string{"tls", "ssl"} {
		if o := s.address.option(name); o != "" && (o == "true") != enabled {
			return form.ConfigError(fmt.Errorf("host says %s=%s and ssl_enabled is %t", name, o, enabled), fmt.Sprintf("set ssl_enabled: %s, or take %s out of host", o, name))
		}
	}
	if s.address.srv && !enabled {
		return form.ConfigError(errors.New("mongodb+srv in host means TLS, and ssl_enabled is false"), "set ssl_enabled: true")
	}
	s.insecure = enabled && v.Bool("tls_insecure")
	for _, name := range []string{"tlsInsecure", "tlsAllowInvalidCertificates", "sslInsecure"} {
		if o := s.address.option(name); o != "" && (o == "true") != s.insecure {
			return form.ConfigError(fmt.Errorf("host says %s=%s and tls_insecure is %t", name, o, s.insecure), fmt.Sprintf("set tls_insecure: %s, or take %s out of host", o, name))
		}
	}
	return nil
}

// useTLS adds what the fields say of TLS to what the address says, such as a client certificate.
func (s *settings) useTLS(v field.Values) error {
	if !v.Bool("ssl_enabled") {
		return nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.client.TLSConfig != nil {
		config = s.client.TLSConfig.Clone()
		config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	}
	config.InsecureSkipVerify = s.insecure //nolint:gosec // it is asked for by name, and every run warns of it
	if ca := v.String("ssl_ca"); strings.TrimSpace(ca) != "" {
		if config.RootCAs == nil {
			config.RootCAs = link.SystemRoots()
		}
		if err := link.Trust(config.RootCAs, ca); err != nil {
			return err
		}
	}
	s.client.SetTLSConfig(config)
	return nil
}
