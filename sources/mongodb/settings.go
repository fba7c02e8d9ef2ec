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
	connectTimeout = 15 * time.Second // to connect, to select a server, and for each request that is not a read
	appName        = "elastic-ingest"
)

// settings are the checked configuration.
type settings struct {
	address     address
	login       address // with user and password
	user        string
	database    string
	collections names
	client      *options.ClientOptions
	insecure    bool // any certificate is accepted
	values      valueForms
	fields      []string // to read, or to exclude; nil: all
	exclude     bool
	rule        *rule
	streams     bool   // change streams are used
	read        string // what is read of the collections, if change streams are used
	attempts    int    // in a row
}

func newSettings(v field.Values, env source.Env) (s settings, err error) {
	s = settings{user: v.String("user"), database: v.String("database"), attempts: max(1, v.Int("retry_count"))}
	if s.database == "" || strings.ContainsAny(s.database, "/\\. \"$\x00") {
		return s, form.ConfigError(fmt.Errorf("database: %q is not the name of a database", s.database), "name one database; its collections go into collection:")
	}
	if s.collections, err = parseNames(v.String("collection")); err != nil {
		return s, form.ConfigError(fmt.Errorf("collection: %w", err), "name collections, separated by commas, or * for all")
	}
	if s.fields, s.exclude, err = parseProjection(v.List("fields")); err != nil {
		return s, form.ConfigError(fmt.Errorf("fields: %w", err), "write fields: [name, address.city] to read only those, or fields: [-secret] to read all others")
	}
	if s.rule, err = parseRule(env.AdvancedRules); err != nil {
		return s, err
	}
	if s.rule != nil && !s.collections.single() {
		return s, form.ConfigError(errors.New("advanced_rules: more than one collection is configured"), "name the rule's collection in collection:")
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

// follow checks that a change stream can keep the documents up to date, and records what is read.
func (s *settings) follow(v field.Values) error {
	refused := func(what, hint string) error {
		return form.ConfigError(errors.New("change_streams: "+what), hint+", or set change_streams: false")
	}
	if p := s.client.ReadPreference; p != nil && p.Mode() != readpref.PrimaryMode {
		return refused("host sets readPreference, but a change that another member does not have yet would be lost", "remove readPreference from host")
	}
	switch c := s.client.ReadConcern; {
	case c == nil || c.Level == "":
		s.client.SetReadConcern(readconcern.Majority())
	case c.Level != "majority" && c.Level != "snapshot":
		return refused("host sets readConcernLevel="+c.Level+", but change streams show what a majority has", "remove readConcernLevel from host")
	}
	if s.rule != nil {
		if name := s.rule.unfollowable(); name != "" {
			return refused("advanced_rules: the result of "+name+" depends on more than one document", "write the rule with find.filter and find.projection only")
		}
	}
	s.streams = true
	s.read = fmt.Sprintf("%q", []any{
		s.database, v.String("collection"), v.List("fields"), v.String("datetime_conversion"), s.address.option("uuidRepresentation"),
	})
	return nil
}

// newClient builds the options of the driver's client.
func (s *settings) newClient(v field.Values) error {
	if err := s.agree(v); err != nil {
		return err
	}
	if v.String("password") != "" && s.user == "" && s.address.login == "" {
		return form.ConfigError(errors.New("password: no user is configured"), "set user, or remove the password")
	}
	s.login = s.address.with(s.user, v.String("password"))
	s.client = options.Client().ApplyURI(s.login.text)
	if err := s.client.Validate(); err != nil { // an SRV address has been resolved by now
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
	// The driver would retry until the deadline of a call, and uses timeoutMS for the life of a complete cursor; both
	// are our decisions.
	s.client.SetRetryReads(false)
	s.client.Timeout = nil
	if v.Bool("direct_connection") {
		s.client.SetDirect(true)
	}
	if p := s.client.ReadPreference; p != nil && p.Mode() != readpref.PrimaryMode && s.client.ReadConcern == nil {
		// The default of servers up to 4.4 returns copies that a migration between shards left.
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

// optionError is an error of the address, without its secrets.
func (s *settings) optionError(err error) error {
	text := s.login.redact(err.Error())
	if _, lookup := errors.AsType[*net.DNSError](err); lookup {
		return &source.Error{Kind: source.ErrUnreachable, Err: fmt.Errorf("host: %s", text), Hint: "check host, and the DNS server"}
	}
	hint := "correct host:; see https://www.mongodb.com/docs/manual/reference/connection-string/"
	if s.address.option("tlsCertificateKeyFile") != "" && strings.Contains(text, "open ") || strings.Contains(text, "decrypt") || strings.Contains(text, "PEM") {
		hint = "check tlsCertificateKeyFile and tlsCertificateKeyFilePassword in host:"
	}
	return form.ConfigError(fmt.Errorf("host: %s", text), hint)
}

// agree checks that the fields and the address agree about TLS.
func (s *settings) agree(v field.Values) error {
	enabled := v.Bool("ssl_enabled")
	for _, name := range []string{"tls", "ssl"} {
		if o := s.address.option(name); o != "" && (o == "true") != enabled {
			return form.ConfigError(fmt.Errorf("host sets %s=%s but ssl_enabled is %t", name, o, enabled), fmt.Sprintf("set ssl_enabled: %s, or remove %s from host", o, name))
		}
	}
	if s.address.srv && !enabled {
		return form.ConfigError(errors.New("mongodb+srv in host implies TLS, but ssl_enabled is false"), "set ssl_enabled: true")
	}
	s.insecure = enabled && v.Bool("tls_insecure")
	for _, name := range []string{"tlsInsecure", "tlsAllowInvalidCertificates", "sslInsecure"} {
		if o := s.address.option(name); o != "" && (o == "true") != s.insecure {
			return form.ConfigError(fmt.Errorf("host sets %s=%s but tls_insecure is %t", name, o, s.insecure), fmt.Sprintf("set tls_insecure: %s, or remove %s from host", o, name))
		}
	}
	return nil
}

// useTLS adds the TLS settings of the fields to those of the address, such as a client certificate.
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
