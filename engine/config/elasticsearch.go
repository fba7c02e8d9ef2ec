package config

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

func (l *loader) elasticsearch(o *object) {
	es := &l.config.Elasticsearch
	inURL, urlAt := l.destination(o, es)
	l.authentication(o, es, inURL, urlAt)
	l.tls(o, es)
	l.headers(o, es)
	o.duration("request_timeout", &es.RequestTimeout, 1)
	o.duration("max_wait_duration", &es.MaxWaitDuration, 0)
	o.duration("initial_backoff_duration", &es.InitialBackoff, 1)
	o.number("backoff_multiplier", &es.BackoffMultiplier, 1, 1000)
	o.integer("max_retries", &es.MaxRetries, 0, 1000)
	o.duration("retry_interval", &es.RetryInterval, 0)
	o.flag("retry_on_timeout", &es.RetryOnTimeout)
	o.flag("analysis_icu", &es.AnalysisICU)
	o.language("language_code", &es.LanguageCode)
	l.bulk(o.section("bulk"), &es.Bulk)
	o.flag("feature_use_connectors_api", &es.UseConnectorsAPI)
	o.ignore("log_level", "serverless")
	o.done()
}

// destination reads host and cloud_id, one of which is required. It returns the
// credentials in the address, and their place.
func (l *loader) destination(o *object, es *Elasticsearch) (*url.Userinfo, place) {
	host, hostNode, _ := o.scalar("host", "an address")
	cloud, cloudNode, _ := o.scalar("cloud_id", "text")
	host, cloud = strings.TrimSpace(host), strings.TrimSpace(cloud)
	if host != "" && cloud != "" {
		switch {
		case hostNode.at.rank() > cloudNode.at.rank():
			cloud = ""
		case cloudNode.at.rank() > hostNode.at.rank():
			host = ""
		default:
			o.fail(cloudNode.at, "cloud_id", "is given beside elasticsearch.host in "+hostNode.at.String(), "keep one")
			return nil, place{}
		}
	}
	switch {
	case cloud != "":
		o.note("cloud_id", cloud, cloudNode)
		es.CloudID = cloud
		if !validCloudID(cloud) {
			o.fail(cloudNode.at, "cloud_id", "is not a cloud id", "copy it from the deployment's page; it has the form name:letters")
		}
		return nil, place{}
	case host == "":
		if hostNode == nil || hostNode.kind == null || hostNode.kind == text {
			at := o.at
			if hostNode != nil {
				at = hostNode.at
			}
			o.fail(at, "host", missing, "write an address such as https://localhost:9200, or embedded:./data for a folder")
		}
		return nil, place{}
	}
	clean, user, problem, hint := l.address(host)
	if problem != "" {
		o.fail(hostNode.at, "host", problem, hint)
		return nil, place{}
	}
	es.Host = clean
	o.note("host", clean, hostNode)
	return user, hostNode.at
}

// address checks a host and removes the credentials from it. The returned
// problem never quotes the address, which may hold a password.
func (l *loader) address(host string) (clean string, user *url.Userinfo, problem, hint string) {
	if folder, ok := strings.CutPrefix(host, "embedded:"); ok {
		if strings.TrimSpace(folder) == "" {
			return "", nil, "names no folder", "write embedded:./data, for example"
		}
		return "embedded:" + absolute(l.dir, filepath.FromSlash(folder)), nil, "", ""
	}
	scheme, _, found := strings.Cut(host, "://")
	if !found || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return "", nil, "must begin with http://, https:// or embedded:", ""
	}
	u, err := url.Parse(host)
	if err != nil || u.Hostname() == "" || strings.Contains(u.Path, "@") || strings.Contains(u.Opaque, "@") {
		return "", nil, "is not an address", "write it like https://localhost:9200; user and password have their own keys"
	}
	if u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return "", nil, "must end before any ? or #", ""
	}
	user, u.User = u.User, nil
	return strings.TrimRight(u.String(), "/"), user, "", ""
}

// validCloudID checks the form that Elastic Cloud documents: a name, a colon,
// and the base64 of the domain and the hosts with dollar signs between them.
func validCloudID(id string) bool {
	_, encoded, ok := strings.Cut(id, ":")
	if !ok {
		return false
	}
	plain, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		plain, err = base64.RawStdEncoding.DecodeString(encoded)
	}
	return err == nil && strings.Contains(string(plain), "$")
}

// authentication reads all credentials and keeps one of them: one from the
// environment, else an API key, else a token, else a user.
func (l *loader) authentication(o *object, es *Elasticsearch, inURL *url.Userinfo, urlAt place) {
	userNode := o.text("username", &es.Username)
	password, userAt := o.secret("password")
	apiKey, apiKeyAt := o.secret("api_key")
	bearer, bearerAt := o.secret("bearer_token")
	if userNode != nil && (userAt == place{} || userNode.at.fromEnvironment()) {
		userAt = userNode.at
	}
	if inURL != nil {
		password, userAt = l.userOfAddress(o, es, password, userAt, inURL, urlAt)
	}
	hasUser := es.Username != "" || !password.IsZero()
	environment := userAt.fromEnvironment() && !apiKeyAt.fromEnvironment() && !bearerAt.fromEnvironment()
	stock := es.Username == "elastic" && password.Reveal() == "changeme"
	switch {
	case !apiKey.IsZero() && !bearer.IsZero() && apiKeyAt.fromEnvironment() == bearerAt.fromEnvironment():
		o.fail(bearerAt, "bearer_token", "is given beside elasticsearch.api_key in "+apiKeyAt.String(), "keep one")
	case hasUser && environment && (!apiKey.IsZero() || !bearer.IsZero()):
		l.warn(userAt, o.key("username"), "the user of the environment is used instead of the api_key or bearer_token of the file")
		l.user(o, es, password, userAt)
	case !apiKey.IsZero() && (bearer.IsZero() || apiKeyAt.fromEnvironment()):
		if hasUser && !stock {
			l.warn(apiKeyAt, o.key("api_key"), "is used; username and password are not")
		}
		es.APIKey, es.Username = apiKey, ""
	case !bearer.IsZero():
		if hasUser && !stock {
			l.warn(bearerAt, o.key("bearer_token"), "is used; username and password are not")
		}
		es.BearerToken, es.Username = bearer, ""
	case hasUser:
		l.user(o, es, password, userAt)
	}
}

// userOfAddress completes username and password from the host's address. Their
// own keys take precedence.
func (l *loader) userOfAddress(o *object, es *Elasticsearch, password Secret, at place, inURL *url.Userinfo, urlAt place) (Secret, place) {
	inAddress, _ := inURL.Password()
	switch {
	case es.Username != "" && es.Username != inURL.Username(), !password.IsZero() && inAddress != "":
		l.warn(urlAt, o.key("host"), "the user in the address is not used, because username or password is given")
	case password.IsZero():
		password, at = NewSecret(inAddress), urlAt
	}
	if es.Username == "" {
		es.Username = inURL.Username()
		l.inAddress(o, "username", es.Username)
	}
	if at == urlAt {
		l.inAddress(o, "password", password.String())
	}
	return password, at
}

// inAddress records the origin of a value that is part of the host's address.
func (l *loader) inAddress(o *object, name, shown string) {
	at := slices.IndexFunc(l.origins, func(one Origin) bool { return one.Key == o.key("host") })
	if shown != "" && at >= 0 {
		host := l.origins[at]
		l.origins = append(l.origins, Origin{Key: o.key(name), Value: shown, From: host.From + ", in the address", Written: host.Written})
	}
}

func (l *loader) user(o *object, es *Elasticsearch, password Secret, at place) {
	if es.Username == "" {
		es.Username = "elastic"
	}
	if password.IsZero() {
		o.fail(at, "password", missing, "give password, password_file or password_command with the username")
	}
	es.Password = password
}

func (l *loader) tls(o *object, es *Elasticsearch) {
	o.flag("ssl", &es.SSL)
	o.filePath("ca_certs", &es.CACerts)
	o.filePath("client_cert", &es.ClientCert)
	o.filePath("client_key", &es.ClientKey)
	n := o.text("ca_fingerprint", &es.CAFingerprint)
	if es.CAFingerprint != "" {
		es.CAFingerprint = strings.ToLower(strings.ReplaceAll(es.CAFingerprint, ":", ""))
		if raw, err := hex.DecodeString(es.CAFingerprint); err != nil || len(raw) != 32 {
			o.fail(n.at, "ca_fingerprint", "is not a SHA-256 fingerprint", "it has 64 hexadecimal digits; openssl x509 -fingerprint -sha256 -noout -in ca.crt prints it")
		}
	}
	if (es.ClientCert == "") != (es.ClientKey == "") {
		o.fail(o.at, "client_cert", "needs client_key, and client_key needs client_cert", "give both or none")
	}
	if n := o.flag("verify_certs", &es.VerifyCerts); !es.VerifyCerts {
		l.warn(n.at, o.key("verify_certs"), "certificates are not verified; anyone on the network path can read and change the data")
	}
	if !es.SSL && (es.CACerts != "" || es.CAFingerprint != "") {
		l.warn(o.at, o.key("ssl"), "is false, so ca_certs and ca_fingerprint have no effect; an https address is verified with the system's certificates")
		es.CACerts, es.CAFingerprint = "", ""
	}
}

func (l *loader) headers(o *object, es *Elasticsearch) {
	h := o.section("headers")
	h.free(Text)
	for _, e := range h.pairs() {
		if e.value.kind == list || e.value.kind == section || e.value.kind == null {
			h.fail(e.at, e.key, "must be text, not "+e.value.kind.String(), "")
			continue
		}
		value, ok := l.expand(e.value, h.key(e.key), wholeSyntax)
		switch {
		case !ok:
			continue
		case !validHeader(e.key):
			h.fail(e.at, e.key, "is not the name of a header", "letters, digits and - are")
			continue
		case strings.ContainsAny(value, "\r\n\x00"):
			h.fail(e.at, e.key, "holds a line break", "a header is one line")
			continue
		}
		if es.Headers == nil {
			es.Headers = Headers{}
		}
		es.Headers[e.key] = value
		h.note(e.key, field.Hidden, e.value)
	}
}

func validHeader(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !nameByte(c, false) && !strings.ContainsRune("!#$%&'*+-.^`|~", rune(c)) {
			return false
		}
	}
	return name != ""
}

func (l *loader) bulk(o *object, b *Bulk) {
	o.integer("chunk_size", &b.ChunkSize, 1, 100_000)
	if b.ChunkSize == connectorsLines {
		b.ChunkSize = connectorsOperations
	}
	o.size("chunk_max_mem_size", &b.ChunkMaxMemSize, mebibyte, 1<<10)
	o.integer("max_concurrency", &b.MaxConcurrency, 1, 256)
	o.integer("display_every", &b.DisplayEvery, 0, 1_000_000_000)
	o.size("queue_max_mem_size", &l.config.Engine.Budget, mebibyte, mebibyte)
	m, e := o.section("error_monitor"), &b.ErrorMonitor
	m.flag("enabled", &e.Enabled)
	m.integer("max_total_errors", &e.MaxTotalErrors, 0, 1_000_000_000)
	m.integer("max_consecutive_errors", &e.MaxConsecutiveErrors, 0, 1_000_000_000)
	m.number("max_error_rate", &e.MaxErrorRate, 0, 1)
	m.integer("error_window_size", &e.ErrorWindowSize, 1, 1_000_000)
	m.integer("error_queue_size", &e.ErrorQueueSize, 0, 1_000_000)
	m.done()
	o.ignore("queue_max_size", "queue_refresh_interval", "queue_refresh_timeout", "concurrent_downloads",
		"max_retries", "retry_interval", "max_text_document_size", "enable_operations_logging")
	o.done()
}
